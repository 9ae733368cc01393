"""A terminal that shows one screen at a time and gives single keys; as it was before when it is left, whatever ends it."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO

from routesim.cli.shared.output import NARROWEST
from routesim.cli.terminal.keys import Keyboard

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"
FALLBACK = (80, 24)


def _keyboard(suspended: Callable[[], None], continued: Callable[[], None]) -> Keyboard:
    if sys.platform == "win32":
        from routesim.cli.terminal.windows_keys import WindowsKeyboard

        return WindowsKeyboard()
    from routesim.cli.terminal.posix_keys import PosixKeyboard

    return PosixKeyboard(suspended, continued)


class Terminal:
    """A context: within it the terminal belongs to us. `plain`: it can do no more than print lines (TERM=dumb)."""

    def __init__(self, out: IO[str], *, plain: bool) -> None:
        self.out, self.plain = out, plain
        self.keyboard = _keyboard(self._leave, self._enter)

    def __enter__(self) -> "Terminal":
        self.keyboard.open()
        try:
            self._enter()
        except BaseException:
            self.keyboard.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):  # whose terminal has gone gets no more from us
            self._leave()
        self.keyboard.close()

    def size(self) -> tuple[int, int]:
        """Columns and lines, now; what is narrower than anything is made for counts as just wide enough."""
        try:
            found = os.get_terminal_size(self.out.fileno())
        except (OSError, ValueError):
            return FALLBACK
        return (max(found.columns, NARROWEST) if found.columns else FALLBACK[0], found.lines or FALLBACK[1])

    def show(self, lines: Sequence[str]) -> None:
        """These lines and nothing else; none is as wide as the terminal."""
        if self.plain:
            self._write("\n".join(["", *filter(None, lines), ""]))
        else:
            self._write(HOME + "\r\n".join(f"{line}{REST_OF_LINE}" for line in lines) + REST)

    def key(self) -> str:
        return self.keyboard.key()

    def _leave(self) -> None:
        self._write("" if self.plain else LEAVE)

    def _enter(self) -> None:
        self._write("" if self.plain else ENTER)

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()
