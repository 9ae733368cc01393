"""Ctrl-C, SIGTERM and SIGHUP: at whatever moment one comes, nothing half-written stays, and the status says what it was."""

import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import pytest
from kits.cli import COMMAND, LIMIT_S, environment
from kits.paths import ROOT

from routesim.cli.shared.ending import Ended, ended_by_signals, interrupting

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
LONG = """
queues: {q: }
consumers: {c: {queue: q, takes: 1s}}
steps: [{publish: {routing_key: q, count: 9000000, every: 1ms}}]
"""
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("jobs", [(), ("-j", "2")])
def test_nothing_half_written_stays(number: signal.Signals, jobs: tuple[str, ...], tmp_path: Path) -> None:
    names = ["one.yaml", "two.yaml"]
    for name in names:
        (tmp_path / name).write_text(LONG)
    (tmp_path / "out").write_text("old")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running = subprocess.Popen(
        [*COMMAND, "run", *names, *jobs, "--format", "ndjson", "-o", "out"], cwd=tmp_path,
        env=environment(TMPDIR=str(temporary)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    part = tmp_path / f".out.part{running.pid}"
    deadline = time.monotonic() + LIMIT_S
    while not (part.exists() and part.stat().st_size) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert part.exists(), "it writes beside the file"
    assert bool(list(temporary.iterdir())) is bool(jobs)
    running.send_signal(number)
    error = running.communicate(timeout=LIMIT_S)[1]
    assert running.returncode == (130 if number == signal.SIGINT else -number)
    assert error == (b"interrupted\n" if number == signal.SIGINT else b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.yaml", "out", "temporary", "two.yaml"]
    assert (tmp_path / "out").read_text() == "old"
    assert list(temporary.iterdir()) == []


# It imports the command line, and that very moment is the signal's.
IMPORTING = """
import builtins, os, signal, sys
plain = builtins.__import__
def importing(name, *more, **named):
    if name == "{name}":
        os.kill(os.getpid(), signal.SIGINT)
    return plain(name, *more, **named)
builtins.__import__ = importing
sys.argv = ["routesim", "run", "scenarios/hello.yaml"]
from routesim.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "name",
    ["atexit", "routesim.cli.main", "routesim.cli.shared.plain_line", "routesim.cli.handlers.running", "routesim.scenario"],
)
def test_ctrl_c_while_it_starts_is_an_interruption(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING.replace("{name}", name)], cwd=ROOT, env=environment(), capture_output=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


def test_ctrl_c_in_a_callback_of_an_import_is_not_lost() -> None:
    """Python prints what such a callback raises, and goes on."""
    names: dict[str, object] = {"os": os, "signal": signal}
    exec(compile("def cb(_):\n    os.kill(os.getpid(), signal.SIGINT)\n", "<frozen importlib._bootstrap>", "exec"), names)

    class Module:
        pass

    before = {number: signal.getsignal(number) for number in (signal.SIGALRM, *NUMBERS)}
    module = Module()
    reference = weakref.ref(module, names["cb"])  # type: ignore[call-overload]
    try:
        with pytest.raises(KeyboardInterrupt), interrupting():  # noqa: PT012
            del module
            time.sleep(LIMIT_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert reference() is None


def test_what_is_ignored_stays_ignored() -> None:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(Ended) as ended, ended_by_signals():  # noqa: PT012
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(LIMIT_S)
        assert ended.value.number == signal.SIGTERM
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
