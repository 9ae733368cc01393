"""Where output goes and how it looks: the terminal's width and colour, pipes, files, code pages, closed pipes."""

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from routesim.cli.shared.ending import undivided
from routesim.cli.shared.exits import UsageError
from routesim.report.style import OutputStyle
from routesim.text import encoding_of, fitted, visible

BUFFER_BYTES = 65_536
NARROWEST = 20
DRAWN = ("table", "svg")  # formats that are drawn to a width


class CannotWrite(Exception):
    """The output file cannot be written; the text says why."""


def is_terminal(stream: IO[str] | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):
        return False


def wants_colour(stream: IO[str] | None) -> bool:
    """Colour on a terminal that can show it; never with NO_COLOR, and else everywhere with FORCE_COLOR, unless that is 0."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") not in (None, "", "0"):
        return stream is not None
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def colour_chosen(when: str) -> None:
    """What `--color` says, for this process and those that it starts: always, never or auto."""
    os.environ.pop("NO_COLOR" if when != "never" else "FORCE_COLOR", None)
    if when == "auto":
        os.environ.pop("FORCE_COLOR", None)
    else:
        os.environ["FORCE_COLOR" if when == "always" else "NO_COLOR"] = "1"


def read_stdin() -> bytes:
    """What is piped in; of more than may be read as much as shows that."""
    from routesim.scenario.yaml.source import MOST_BYTES  # every command is to start at once

    return sys.stdin.buffer.read(MOST_BYTES + 1) if sys.stdin is not None else b""


def forget(stream: IO[str] | None) -> None:
    """Nobody reads any more; keep the interpreter from trying again when it ends."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def stderr_line(text: str) -> None:
    """A line to stderr, where there is one."""
    with stderr() as stream:
        stream.write(fitted(visible(text), encoding_of(stream)) + "\n")


@contextmanager
def stderr() -> Iterator[IO[str]]:
    """stderr to write to; that it is closed is no reason to fail."""
    stream = sys.stderr if sys.stderr is not None else io.StringIO()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
        yield stream
        stream.flush()
    except BrokenPipeError:
        forget(sys.stderr)


def style_of(stream: IO[str], format: str, *, quiet: bool = False) -> OutputStyle:
    """How a format is to look there; tables and pictures of them are as wide as the terminal."""
    columns = None
    if format in DRAWN:
        columns = _width()
    return OutputStyle(wants_colour(stream), columns, quiet)


def columns_of(stream: IO[str]) -> int | None:
    """The width of the terminal; None: it is none."""
    return _width() if is_terminal(stream) else None


def _width() -> int:
    from shutil import get_terminal_size  # with which every kind of archive is imported

    return max(NARROWEST, get_terminal_size((80, 24)).columns)


def format_for(given: str | None, stream: IO[str]) -> str:
    """The format that is asked for; else a table on a terminal, plain text elsewhere."""
    return given or ("table" if is_terminal(stream) else "plain")


@contextmanager
def opened(path: str | None) -> Iterator[IO[str]]:
    """The stream to write a report to: standard output, or a file that is replaced when all is written."""
    if path is not None and path != "-":
        with _replacing(path) as stream:
            yield stream
        return
    if sys.stdout is None:
        yield io.StringIO()
        return
    if is_terminal(sys.stdout):
        yield sys.stdout
        sys.stdout.flush()
        return
    # PYTHONUNBUFFERED, common in containers, would make a system call of every line.
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
        yield sys.stdout
        sys.stdout.flush()
        return
    sys.stdout.flush()
    encoding = sys.stdout.encoding or "utf-8"
    with open(descriptor, "w", buffering=BUFFER_BYTES, encoding=encoding, errors="backslashreplace", newline=None) as stream:
        yield stream


@contextmanager
def _replacing(path: str) -> Iterator[IO[str]]:
    """Writes beside the file and moves it into place, so that a failure leaves no half a file.

    What is no ordinary file (a pipe, a device) is written to as it is; a link goes on being one; rights stay.
    """
    path = os.path.realpath(path)
    beside = not os.path.exists(path) or os.path.isfile(path)
    folder, name = os.path.split(path)
    target = os.path.join(folder, f".{name}.part{os.getpid()}") if beside else path
    made = False
    try:
        with undivided():
            stream = _made(target, path)
            made = beside
        with stream:
            yield stream
        if beside:
            if os.path.exists(path):
                from shutil import copymode

                copymode(path, target)
            os.replace(target, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None
    finally:
        if made and os.path.exists(target):
            os.unlink(target)


def _made(target: str, path: str) -> IO[str]:
    try:
        return open(target, "w", encoding="utf-8", newline="\n", buffering=BUFFER_BYTES)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None


def keep_apart(files: Iterable[str], output: str | None, option: str = "--output") -> None:
    """Raises `UsageError` when the output would take the place of a scenario."""
    for path in files if output else ():
        if path != "-" and same_file(path, output):
            raise UsageError(f"{option} would overwrite the scenario {path}")


def same_file(left: str, right: str | None) -> bool:
    try:
        return right is not None and os.path.samefile(left, right)
    except OSError:
        return False
