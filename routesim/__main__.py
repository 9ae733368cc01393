"""`routesim` and `python -m routesim`: the command line as a process of its own, quickly begun and quickly left."""

# Nothing is imported before the first line of `main` that Python itself has not loaded: Ctrl-C is to be answered from there on.
import os
import sys


def main() -> None:
    """Run the command line and end the process with its status."""
    import _signal  # type: ignore[import-not-found]  # of which `signal` is made, with an import that takes its time

    mine = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler  # else it is ignored, or somebody else's
    if mine:
        _signal.signal(_signal.SIGINT, _interrupted_at_once)
    import atexit

    from routesim.garbage import look_seldom

    look_seldom()  # imports and declarations are none
    from routesim.cli.main import main as command_line
    from routesim.cli.shared.ending import Ended, dies_of, ended_by_signals, interrupting

    status, ended = 0, 0
    try:
        with interrupting() if mine else ended_by_signals():
            command_line()
    except KeyboardInterrupt:  # after the last handler of it
        sys.stderr.write("interrupted\n")
        status = 130
    except SystemExit as exit:
        status = exit.code if isinstance(exit.code, int) else 1
    except Ended as signal:
        ended = signal.number
    # Taking every module and every binding apart, one by one, would take longer than many a run.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
    if ended:
        dies_of(ended)
    os._exit(status)


def _interrupted_at_once(number: int, frame: object) -> None:
    """While everything is still being imported there is nothing to clean up."""
    if sys.stderr is not None:
        os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
