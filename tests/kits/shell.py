"""Interactive shells on terminals of their own: a half-written line, the key that completes it, and what is run then."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from kits.cli import environment
from kits.paths import ROOT

LIMIT_S = 20.0
# Asked by a shell, it is routesim; run by a person, it keeps what it was run with.
PROGRAM = """#!/bin/sh
if [ -n "$_ROUTESIM_COMPLETE" ]; then exec {python} -m routesim "$@"; fi
printf '%s\\0' "$@" > ran.part && mv ran.part ran
"""
COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SET_UP = {
    "bash": "PS1='> '; bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'; . ./script",
    "zsh": "PS1='> '; zstyle ':completion:*' menu no; autoload -Uz compinit && compinit -D -u; . ./script",
    "fish": "function fish_prompt; echo '> '; end; set -g fish_greeting; source ./script",
}


def installed(shell: str) -> bool:
    return shutil.which(shell) is not None


class Shell:
    """A shell in `folder`, with the completion set up."""

    def __init__(self, name: str, folder: Path, script: str) -> None:
        self.folder = folder
        (folder / "bin").mkdir(exist_ok=True)
        program = folder / "bin" / "routesim"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        (folder / "script").write_text(script)
        self.master, slave = pty.openpty()
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        given = environment(
            PATH=path,
            HOME=str(folder),
            TERM="xterm",
            XDG_CONFIG_HOME=str(folder),
            XDG_DATA_HOME=str(folder),
            COLUMNS="200",
            LINES="50",
        )
        assert str(ROOT) in given["PYTHONPATH"]
        self.process = subprocess.Popen(
            COMMANDS[name],
            cwd=folder,
            env=given,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_own,
        )
        os.close(slave)
        self.screen = b""
        self.type(f"{SET_UP[name]}; touch ready\n")
        self._until(folder / "ready")
        self.screen = b""

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ran(self, line: str) -> list[str]:
        """What routesim is run with when `line` has been completed. Shells take one key after the other."""
        ran = self.folder / "ran"
        self.type(f"{line}\t\n")
        try:
            self._until(ran)
        except AssertionError:
            self.type("\x03")  # so that one line that fails is not the end of the others
            raise
        words = ran.read_bytes().split(b"\0")[:-1]
        ran.unlink()
        return [os.fsdecode(word) for word in words]

    def shown(self, line: str, awaited: bytes = b"") -> bytes:
        """What is on the screen from the key on up to where the line is given up, which is when `awaited` is there."""
        self.screen = b""
        self.type(f"{line}\t")
        began = time.monotonic()
        while awaited not in self.screen and time.monotonic() - began < LIMIT_S:
            self._read(0.02)
        self.type("\x15touch shown\n")
        self._until(self.folder / "shown")
        (self.folder / "shown").unlink()
        return self.screen

    def _until(self, path: Path) -> None:
        began = time.monotonic()
        while not path.exists():
            assert time.monotonic() - began < LIMIT_S, self.screen
            self._read(0.02)

    def _read(self, wait_s: float) -> None:
        if select.select([self.master], [], [], wait_s)[0]:
            self.screen += os.read(self.master, 65_536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def _own() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
