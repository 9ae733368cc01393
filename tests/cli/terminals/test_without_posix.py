"""What a system without POSIX has not, such as Windows, no command needs: fcntl and the like, and signals but SIGINT and SIGTERM.

The interpreter of these tests loses all of that first. What Windows has in its stead is not there either, so that this says nothing of
consoles, of `\\\\` in paths beyond what a text can tell, or of processes (`--jobs`).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kits.cli import SHOES, environment
from kits.paths import ROOT

LIMIT_S = 60
WITHOUT = """
import os, signal, sys
for name in ("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog", "readline", "curses"):
    sys.modules[name] = None
for name in [name for name in vars(signal) if name.startswith("SIG") and name not in ("SIGINT", "SIGTERM", "SIG_DFL", "SIG_IGN")]:
    delattr(signal, name)
for name in ("alarm", "setitimer", "getitimer", "pthread_sigmask", "pthread_kill", "sigwait", "siginterrupt", "sigpending", "pause"):
    delattr(signal, name)
for name in ("fork", "forkpty", "getuid", "geteuid", "getgid", "getpgid", "killpg", "setsid", "mkfifo", "openpty", "getloadavg",
             "sched_getaffinity", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_NOFOLLOW", "chown"):
    if hasattr(os, name):
        delattr(os, name)
sys.argv = ["routesim", *sys.argv[1:]]
from routesim.__main__ import main
main()
"""
DEFINITIONS = "scenarios/celery-definitions.json"
COMMANDS = [
    ("--version",),
    ("--help",),
    ("run", SHOES, "--format", "table"),
    ("run", SHOES, "--format", "json"),
    ("run", SHOES, "--format", "ndjson"),
    ("run", SHOES, "--format", "junit"),
    ("run", "scenarios/prefetch.yaml", "-q", "--plot"),
    ("run", "scenarios/flaky-worker.yaml", "--seeds", "1..5"),
    ("run", "scenarios/celery/connection-blip-runs-twice.yaml", "-q"),
    ("check", "scenarios/hello.yaml"),
    ("graph", SHOES),
    ("graph", SHOES, "--format", "svg"),
    ("diff", SHOES, SHOES),
    ("explain", "route", SHOES, "-e", "shop", "refund"),
    ("explain", "task", "scenarios/celery/lost-with-its-worker.yaml", "early"),
    ("explain", "ack"),
    ("docs", "trace"),
    ("versions",),
    ("import", DEFINITIONS),
    ("export", SHOES),
    ("celery", "monitor", "scenarios/celery/connection-blip-runs-twice.yaml"),
    ("new", "--list"),
    ("schema",),
    ("completion", "bash"),
]


def without_posix(*arguments: str, cwd: Path = ROOT, stdin: str = "", **given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], input=stdin, capture_output=True, encoding="utf-8", cwd=cwd, timeout=LIMIT_S,
        env=environment(**given), check=False,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_is_the_same_without(arguments: tuple[str, ...]) -> None:
    done = without_posix(*arguments)
    usual = subprocess.run(
        [sys.executable, "-m", "routesim", *arguments], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=LIMIT_S,
        stdin=subprocess.DEVNULL, env=environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (usual.returncode, usual.stdout, usual.stderr)
    assert done.returncode == 0


def test_files_are_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_bytes("queues: {über: }\r\nsteps:\r\n  - publish: {routing_key: über}\r\n".encode())
    assert without_posix("run", "shop.yaml", "-f", "html", "-o", "out.html", cwd=tmp_path).returncode == 0
    assert "über" in (tmp_path / "out.html").read_text(encoding="utf-8")
    assert without_posix("new", "mine", cwd=tmp_path).returncode == 0
    made = next(tmp_path.glob("mine*"))
    assert without_posix("run", "-q", made.name, cwd=tmp_path).returncode == 0
    piped = without_posix("run", "-", "-f", "json", stdin=made.read_text(encoding="utf-8"))
    assert json.loads(piped.stdout)["ok"] is True
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([made.name, "out.html", "shop.yaml"])


def test_mistakes_have_their_place_and_no_traceback(tmp_path: Path) -> None:
    done = without_posix("run", "tests/cli/mistakes.yaml")
    assert done.returncode == 2
    assert "--> tests/cli/mistakes.yaml:1:19" in done.stderr
    assert "Traceback" not in done.stderr
    assert without_posix("run", str(tmp_path)).returncode == 2
    assert without_posix("run", "no/such.yaml").returncode == 2


def test_step_mode_says_that_it_needs_a_terminal() -> None:
    done = without_posix("run", SHOES, "--step")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
