"""The command line on a terminal that a person could sit at: keys are typed, the screen is looked at."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

from kits.cli import COMMAND, _own_terminal, environment
from kits.paths import ROOT

QUIET_S = 0.05
LIMIT_S = 30.0


class Sitting:
    """A process on a pseudo terminal and what its screen shows now."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, columns: int, lines: int) -> None:
        self.process, self.master = process, master
        self.emulator = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.emulator)
        self.raw = b""

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.emulator.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def colours(self, word: str) -> set[str]:
        """The colours in which the word stands anywhere on the screen."""
        found = set()
        for number, line in enumerate(self.emulator.display):
            at = line.find(word)
            if at >= 0:
                found.add(self.emulator.buffer[number][at].fg)
        return found

    def _pump(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            data = b""
        self.raw += data
        # What switches to the other screen is not for the emulator, which has only one.
        self.stream.feed(data.replace(b"\x1b[?1049h", b"\x1b[2J").replace(b"\x1b[?1049l", b"\x1b[2J\x1b[H"))
        return bool(data)

    def until(self, holds: Callable[[str], bool] | str) -> str:
        """The screen, once it shows that text (or fulfils that) and nothing more comes."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            shown = holds in self.text if isinstance(holds, str) else holds(self.text)
            if shown and not self._pump(QUIET_S):
                return self.text
            if not shown and not self._pump(0.5) and self.process.poll() is not None:
                break
        raise AssertionError(f"not {holds!r} within {LIMIT_S} s:\n{self.text}")

    def type(self, keys: str, then: Callable[[str], bool] | str | None = None) -> str:
        os.write(self.master, keys.encode())
        return self.until(then) if then is not None else self.until(lambda text: True)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.emulator.resize(lines, columns)
        self.emulator.reset()

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> int:
        """Its status, once it has ended by itself; the rest of what it says is on the screen."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self._pump(0.02)
        while self._pump(QUIET_S):
            pass
        return self.process.wait(timeout=1)

    def cooked(self) -> bool:
        """Whether the terminal shows what is typed and waits for whole lines, as a shell wants it."""
        flags = termios.tcgetattr(self.master)[3]
        return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)


@contextmanager
def sitting(
    *arguments: str, columns: int = 80, lines: int = 24, cwd: Path = ROOT, command: list[str] = COMMAND, **given: str
) -> Iterator[Sitting]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [*command, *arguments], cwd=cwd, env=environment(**{"TERM": "xterm-256color", **given}), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=_own_terminal,
    )  # fmt: skip
    try:
        yield Sitting(process, master, columns, lines)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(slave)
        os.close(master)
