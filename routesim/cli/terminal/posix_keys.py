"""Single keys from a POSIX terminal: its mode, its signals (Ctrl-Z, a new size, an end from outside), its escape sequences."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from routesim.cli.terminal.keys import GONE, RESIZED

SEQUENCES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "OA": "up", "OB": "down", "OC": "right", "OD": "left",
    "[H": "home", "[F": "end", "OH": "home", "OF": "end", "[1~": "home", "[4~": "end", "[7~": "home", "[8~": "end",
    "[5~": "page up", "[6~": "page down",
}  # fmt: skip
NAMED = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x04": GONE}
REST_OF_SEQUENCE_S = 0.05
NOTED = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
ENDING = (signal.SIGTERM, signal.SIGHUP)


class PosixKeyboard:
    """`suspended` is called before the process stops for Ctrl-Z, `continued` when it goes on."""

    def __init__(self, suspended: Callable[[], None], continued: Callable[[], None]) -> None:
        self.suspended, self.continued = suspended, continued
        self.fd = sys.stdin.fileno()
        self.before: list[Any] | None = None
        self.handlers: dict[int, Any] = {}
        self.wake: tuple[int, int] | None = None
        self.unread = ""
        self.noted: set[int] = set()

    def open(self) -> None:
        self.before = termios.tcgetattr(self.fd)
        read, write = os.pipe()
        for end in (read, write):
            os.set_blocking(end, False)
        self.wake = (read, write)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)  # so that waiting for a key ends with any signal
        for number in NOTED:
            self.handlers[number] = signal.signal(number, self._note)
        for number in ENDING:
            self.handlers[number] = signal.signal(number, _end)
        tty.setcbreak(self.fd)

    def close(self) -> None:
        if self.before is not None:
            with suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(self.fd, termios.TCSADRAIN, self.before)
        signal.set_wakeup_fd(-1)
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        for end in self.wake or ():
            os.close(end)
        self.before, self.handlers, self.wake = None, {}, None

    def key(self) -> str:
        assert self.wake is not None
        while not self.unread:
            ready, _, _ = select.select([self.fd, self.wake[0]], [], [])
            if self.wake[0] in ready:
                os.read(self.wake[0], 512)
                self._act()
                return RESIZED
            if not self._read():
                return GONE
        character, self.unread = self.unread[0], self.unread[1:]
        if character == "\x1b":
            return self._sequence()
        return NAMED.get(character, character)

    def _read(self) -> bool:
        try:
            data = os.read(self.fd, 512)
        except OSError:  # the terminal has gone
            return False
        self.unread += data.decode("utf-8", "ignore")
        return bool(data)

    def _sequence(self) -> str:
        """What follows an escape character: a key's name, nothing for one that is not known; alone it is the key itself."""
        if not self.unread and select.select([self.fd], [], [], REST_OF_SEQUENCE_S)[0]:
            self._read()
        if self.unread[:1] not in ("[", "O"):
            return "escape"
        length = 2
        while length < len(self.unread) and self.unread[0] == "[" and not "@" <= self.unread[length - 1] <= "~":
            length += 1
        name = SEQUENCES.get(self.unread[:length], "")
        self.unread = self.unread[length:]
        return name

    # Signals -----------------------------------------------------------------------------------------------------------

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Acted upon when nothing else is being done."""
        self.noted.add(number)

    def _act(self) -> None:
        if signal.SIGTSTP in self.noted:
            self._stop()
        if signal.SIGCONT in self.noted:
            tty.setcbreak(self.fd)
            self.continued()
        self.noted.clear()

    def _stop(self) -> None:
        """Ctrl-Z: the terminal is the shell's until we are told to go on."""
        self.suspended()
        assert self.before is not None
        termios.tcsetattr(self.fd, termios.TCSADRAIN, self.before)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here
        signal.signal(signal.SIGTSTP, self._note)


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
