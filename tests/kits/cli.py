"""The command line as others meet it: in a process of its own, with pipes, signals and terminals of any width."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kits.paths import ROOT

SHOES = "scenarios/shoes.yaml"
COMMAND = [sys.executable, "-m", "routesim"]
LIMIT_S = 30.0
# Nothing that the person who runs the tests has set may change what is tested.
FOREIGN = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONUNBUFFERED",
    "TERM",
    "ROUTESIM_FORMAT",
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Done(NamedTuple):
    status: int
    out: str
    err: str


def environment(**given: str) -> dict[str, str]:
    base = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**base, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **given}


def started(
    *arguments: str | bytes, cwd: Path = ROOT, stdin: int = subprocess.DEVNULL, **given: str
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(**given),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def routesim(
    *arguments: str | bytes,
    stdin: bytes = b"",
    cwd: Path = ROOT,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    **given: str,
) -> Done:
    """Run it to its end. Decoded as UTF-8 unless PYTHONIOENCODING says otherwise."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment(**given),
        input=stdin,
        stdout=stdout,
        stderr=stderr,
        timeout=LIMIT_S,
        check=False,
    )
    encoding = given.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
    return Done(done.returncode, (done.stdout or b"").decode(encoding), (done.stderr or b"").decode(encoding))


def within(*arguments: str, cwd: Path = ROOT, encoding: str = "utf-8", merged: bool = False, **given: str) -> Done:
    """Run it in this process: as true as `routesim` where streams, signals and start-up do not matter, and much quicker.
    `merged`: errors stand among the output, as on a terminal."""
    from routesim.cli.main import main

    before = (sys.argv, sys.stdout, sys.stderr, dict(os.environ), os.getcwd())
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.argv = ["routesim", *arguments]
        sys.stdout = open(out.fileno(), "w", encoding=encoding, newline="\n", closefd=False)  # noqa: SIM115
        errors = (out if merged else err).fileno()
        sys.stderr = open(errors, "w", encoding=encoding, newline="\n", errors="backslashreplace", closefd=False)  # noqa: SIM115
        status: object = 0
        try:
            os.environ.clear()
            os.environ.update(environment(**given))
            os.chdir(cwd)
            try:
                main()
            except SystemExit as ended:
                status = ended.code
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            sys.argv, sys.stdout, sys.stderr = before[:3]
            os.environ.clear()
            os.environ.update(before[3])
            os.chdir(before[4])
        out.seek(0)
        err.seek(0)
        assert isinstance(status, int)
        return Done(status, out.read().decode(encoding), err.read().decode(encoding))


def sane(done: Done) -> Done:
    for stream in (done.out, done.err):
        assert "Traceback" not in stream
        assert "internal error" not in stream
    return done


class Screen(NamedTuple):
    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        """As they are seen: without colours, and what a carriage return has overwritten is gone."""
        return [ANSI.sub("", line).rpartition("\r")[2] for line in self.text.replace("\r\n", "\n").split("\n")]


def on_terminal(*arguments: str, columns: int, keys: bytes = b"", after_s: float = 0.0, cwd: Path = ROOT, **given: str) -> Screen:
    """Run it on a terminal of this width; `keys` are typed after a while."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, env=environment(**{"TERM": "xterm-256color", **given}), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=_own_terminal,
    )  # fmt: skip
    os.close(slave)
    chunks, began = [], time.monotonic()
    try:
        while time.monotonic() - began < LIMIT_S:
            if keys and time.monotonic() - began > after_s:
                os.write(master, keys)
                keys = b""
            ready, _, _ = select.select([master], [], [], 0.05)
            if not ready:
                continue
            try:
                chunk = os.read(master, 65_536)
            except OSError:  # what Linux says when the other side has closed
                break
            if not chunk:
                break
            chunks.append(chunk)
        else:
            raise AssertionError(f"still at it after {LIMIT_S} s")
        status = process.wait(timeout=LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
    encoding = given.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
    return Screen(status, b"".join(chunks).decode(encoding))


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def columns_of(text: str) -> int:
    """How many columns a terminal gives a line, counted without the help of what is tested."""
    columns = 0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return columns


def words(lines: Sequence[str]) -> str:
    """Everything on the screen without the gaps that wrapping makes."""
    return re.sub(r"\s+", "", "".join(lines))
