"""Texts that are read: their lines, their places, and every way in which a file cannot be read."""

import os
import re
import stat
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from routesim.diagnostics import Diagnostic, Invalid, Place, did_you_mean

STDIN = "-"
MOST_BYTES = 128 * 1024 * 1024  # of a file: the largest definitions files have a hundredth of it
TOO_LARGE = f"there are more than {MOST_BYTES // 1024 // 1024} MiB"
SHOWN_STDIN = "<stdin>"
HANDED_OVER = re.compile(r"/dev/stdin|/dev/fd/[0-9]+|/proc/self/fd/[0-9]+")
LINE_BREAK = re.compile("\r\n|\r|\n")
_emptied: dict[tuple[int, int], bytes] = {}  # what pipes held that were handed over, by device and inode: each can be read once


class Source:
    """A text that has been read, for showing the line that a place points at."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines: list[str] | None = None
        self._begins: list[int] | None = None

    def place(self, at: int) -> tuple[int, int]:
        """The line and column of a character, of a text in which lines end as in JSON."""
        if self._begins is None:
            self._begins = [0, *(found.end() for found in re.finditer("\n", self.text))]
        line = bisect(self._begins, at)
        return line, at - self._begins[line - 1] + 1

    def line(self, number: int) -> str:
        if self._lines is None:
            self._lines = LINE_BREAK.split(self.text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def diagnostic(
        self, severity: str, code: str, message: str, line: int, column: int, width: int = 1, cure: str = ""
    ) -> Diagnostic:
        return Diagnostic(severity, code, message, Place(self.file, line, column, max(1, width)), cure, self.line(line))

    def fail(self, code: str, message: str, line: int, column: int, width: int = 1, cure: str = "") -> Invalid:
        return Invalid([self.diagnostic("error", code, message, line, column, width, cure)])


class QuietSource(Source):
    """A text of which no line is ever shown: what is read from it may stand beside passwords."""

    def line(self, number: int) -> str:
        return ""


def read_source(path: str, stdin: bytes | None = None, *, piped: bool = True) -> Source:
    """The text of a file, or of `stdin` where the path is `-`. Raises `Invalid` when it cannot be read as text.

    `piped`: what the shell hands over as a path, as `<(…)` is, may be read too.
    """
    if path == STDIN:
        data = stdin or b""
        path = SHOWN_STDIN
        if len(data) > MOST_BYTES:
            raise Invalid([Diagnostic("error", "unreadable-file", TOO_LARGE, Place(path, 0, 0))])
    else:
        data = _bytes_of(path, piped=piped)
    if data.startswith(b"\x1f\x8b"):
        raise Invalid([Diagnostic("error", "not-text", "this is compressed", Place(path, 0, 0), "unpack it first: gunzip")])
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return Source(path, data.decode(encoding))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace") if encoding == "utf-8-sig" else ""
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise Source(path, data.decode("utf-8", "replace")).fail(
            "not-text", f"byte {data[error.start]:#04x} is not valid {encoding.removesuffix('-sig').upper()}", line, column,
            cure="save the file as UTF-8",
        ) from None  # fmt: skip


_noted: ContextVar[set[str] | None] = ContextVar("_noted", default=None)


@contextmanager
def files_noted() -> Iterator[set[str]]:
    """Within it every file that is read, or was to be read and could not, comes into the set."""
    files: set[str] = set()
    token = _noted.set(files)
    try:
        yield files
    finally:
        _noted.reset(token)


def _bytes_of(path: str, *, piped: bool) -> bytes:
    files = _noted.get()
    if files is not None:
        files.add(path)
    try:
        return _read(path, piped=piped)
    except FileNotFoundError:
        if os.path.islink(path):
            problem, cure = f"this is a link to {os.readlink(path)}, which is not there", ""
        else:
            problem, cure = "there is no such file", _meant(path, typed=piped)
    except IsADirectoryError:
        problem, cure = "this is a folder", "name a file in it"
    except PermissionError:
        problem, cure = "no permission to read it", ""
    except (OSError, ValueError) as error:
        problem, cure = str(getattr(error, "strerror", None) or error), ""
    raise Invalid([Diagnostic("error", "unreadable-file", problem, Place(path, 0, 0), cure)])


def _meant(missing: str, *, typed: bool) -> str:
    """Which file may be meant by one that is not there. `typed`: on a command line, where those that come along have names."""
    from pathlib import Path  # takes long to import, and files are there as a rule

    path = Path(missing)
    names = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    same = [name for name in names if name.startswith(f"{path.stem}.scenario.") and name.endswith((".yaml", ".yml"))]
    cure = f"did you mean '{same[0]}'?" if same else did_you_mean(path.name, names)
    if cure or not typed or not path.name or path.suffix not in ("", ".yaml", ".yml"):
        return cure
    from routesim.scenario.starting import shipped

    name = path.with_suffix("").as_posix()
    if cure := did_you_mean(name, shipped()):
        return f"{cure} It comes with routesim: `routesim run --list`"
    if path.parent != Path() or path.suffix:
        return ""
    return f"`routesim new {name}` writes a first scenario of that name, `routesim run --list` says which come along"


def _read(path: str, *, piped: bool) -> bytes:
    """The bytes of an ordinary file, and of a pipe that the shell has handed over. A device has no end, and a named pipe begins
    when it likes: neither is waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        mode, size = os.fstat(descriptor).st_mode, os.fstat(descriptor).st_size
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        handed_over = piped and stat.S_ISFIFO(mode) and HANDED_OVER.fullmatch(path)
        pipe = os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino
        if handed_over and pipe in _emptied:
            return _emptied[pipe]
        if handed_over:
            os.set_blocking(descriptor, True)
        elif not stat.S_ISREG(mode):
            raise OSError(f"this is {_kind_of(mode)}, not a file")
        if size <= MOST_BYTES:
            data = file.read(MOST_BYTES + 1)
            if len(data) <= MOST_BYTES:
                if handed_over:
                    _emptied[pipe] = data
                return data
    raise OSError(TOO_LARGE)


def _kind_of(mode: int) -> str:
    return "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
