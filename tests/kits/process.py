"""Processes of the command line and their children, watched from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kits.cli import LIMIT_S, started
from kits.paths import ROOT


def written(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return [f"{name}.yaml" for name in texts]


@contextmanager
def running(*arguments: str, cwd: Path) -> "Iterator[subprocess.Popen[bytes]]":
    process = started("run", *arguments, cwd=cwd)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(parent: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split() if Path(f"/proc/{pid}/comm").exists() and comm(int(pid)) != "ps"]


def comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ps"


def until_children(process: "subprocess.Popen[bytes]", count: int) -> list[int]:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        found = children(process.pid)
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError("no processes")


def until_busy(pids: list[int], seconds: float) -> int:
    """The first of the processes that has worked for so long; the others may have ended meanwhile."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        for pid in pids:
            if worked(pid) >= seconds:
                return pid
        time.sleep(0.02)
    raise AssertionError("none is at work")


def worked(pid: int) -> float:
    """Seconds of user time; 0.0 of a process that has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11]) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):  # it ended before the file was opened, or before it was read
        return 0.0


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded when the code has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split("\n")[-2].split())


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
