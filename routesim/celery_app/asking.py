"""The child process that imports an app: started, limited in time, its output kept apart, its answer or what went wrong."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from routesim.celery_app import child
from routesim.named_tuples import NamedTuple

# The parts as modules beside the app; routesim is not installed in that interpreter, and where it is it is not hidden.
TOGETHER = """
import sys, types
parts = {parts!r}
for name, text in parts:
    module = sys.modules[name] = types.ModuleType(name)
    exec(text, module.__dict__)
for name, _ in parts:
    del sys.modules[name]
module.run(*sys.argv[1:])
"""
PACKAGE = Path(__file__).parent.parent
ANSWER, OUTPUT = "answer.json", "output.txt"
TAIL_BYTES = 8_000
TELLING = 0.9  # of the time, after which the child prints where it hangs


class AppAnswer(NamedTuple):
    """`output` is the end of what the app printed; `answer` is None if the process ended without one, with `status`."""

    answer: dict[str, Any] | None
    status: int
    output: str


class NotStarted(Exception):
    """There is no such interpreter or directory; the text says which."""


class TooSlow(Exception):
    """The app was not imported in time; its argument is the end of what it printed, and of its threads where they are."""


def asked(
    app: str, wanted: Mapping[str, Iterable[str]], *, python: str, directory: str, timeout_s: float, parts: Iterable[Path] = ()
) -> AppAnswer:
    """What the child says of the app, run by the interpreter `python` in `directory`. `parts`: what it consists of; the
    last has `run`. Without any it is what reads a Celery app.

    Raises `NotStarted`, and `TooSlow` after `timeout_s` seconds, when the child and what it has started are ended.
    """
    script = TOGETHER.format(parts=[(_name(part), part.read_text(encoding="utf-8")) for part in parts or child.files()])
    with tempfile.TemporaryDirectory(prefix="routesim-", ignore_cleanup_errors=True) as folder:
        answer, output = Path(folder, ANSWER), Path(folder, OUTPUT)
        command = [
            python,
            "-c",
            script,
            str(answer),
            app,
            json.dumps({kind: sorted(names) for kind, names in wanted.items()}),
            str(timeout_s * TELLING),
        ]
        with open(output, "wb") as printed:
            try:
                # A file and not a pipe: what the app leaves running may hold it open as long as it likes.
                process = subprocess.Popen(
                    command, cwd=directory, env=_environment(), stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
                    start_new_session=True,
                )  # fmt: skip
            except (OSError, ValueError) as problem:
                raise NotStarted(_why(problem, python, directory)) from None
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TooSlow(_tail(output)) from None
        finally:
            _end(process)
        return AppAnswer(json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None, status, _tail(output))


def _name(part: Path) -> str:
    """Of its module."""
    return ".".join((PACKAGE.name, *part.relative_to(PACKAGE).with_suffix("").parts))


def _environment() -> dict[str, str]:
    """Ours, with text in UTF-8, no files written beside the app's, and no warning of the app made an error."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return {**ours, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}


def _why(problem: Exception, python: str, directory: str) -> str:
    if not os.path.isdir(directory):
        return f"there is no directory {directory}"
    return f"cannot run {python}: {getattr(problem, 'strerror', None) or problem}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process if it still runs, with all that it has started in its session."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _tail(output: Path) -> str:
    with open(output, "rb") as printed:
        begin = max(0, output.stat().st_size - TAIL_BYTES)
        printed.seek(begin)
        text = printed.read().decode("utf-8", "replace")
        return text.partition("\n")[2] if begin else text  # of a line that is cut nobody can tell whether it holds a secret
