"""`routesim` and `python -m routesim`: the command line as a process of its own, quickly begun and quickly left."""

import atexit
import contextlib
import gc
import os
import sys

GARBAGE_AFTER = 50_000  # objects: imports and declarations are none, and looking for it among them takes time


def main() -> None:
    """Run the command line and end the process with its status."""
    gc.set_threshold(GARBAGE_AFTER)
    status = 0
    try:
        from routesim.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:  # while it is still being imported
        sys.stderr.write("interrupted\n")
        status = 130
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    # Taking every module and every binding apart, one by one, would take longer than many a run.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
