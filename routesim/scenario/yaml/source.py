"""Texts that are read: their lines, their places, and every way in which a file cannot be read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from routesim.diagnostics import Diagnostic, Invalid, Place, did_you_mean

STDIN = "-"
LINE_BREAK = re.compile("\r\n|\r|\n")


class Source:
    """A text that has been read, for showing the line that a place points at."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines: list[str] | None = None

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


def read_source(path: str, stdin: bytes | None = None) -> Source:
    """The text of a file, or of `stdin` where the path is `-`. Raises `Invalid` when it cannot be read as text."""
    if path == STDIN:
        data = stdin or b""
        path = "<stdin>"
    else:
        data = _bytes_of(path)
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


def _bytes_of(path: str) -> bytes:
    files = _noted.get()
    if files is not None:
        files.add(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        folder = Path(path).parent
        names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
        problem, cure = "there is no such file", did_you_mean(Path(path).name, names)
    except IsADirectoryError:
        problem, cure = "this is a folder", "name a file in it"
    except PermissionError:
        problem, cure = "no permission to read it", ""
    except (OSError, ValueError) as error:
        problem, cure = str(getattr(error, "strerror", None) or error), ""
    raise Invalid([Diagnostic("error", "unreadable-file", problem, Place(path, 0, 0), cure)])
