"""`routesim run --seeds`."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from kits.cli import LIMIT_S, columns_of, on_terminal, routesim, sane
from kits.paths import ROOT
from kits.process import children, gone, linux, running, until_children, written

FLAKY = "scenarios/flaky-worker.yaml"
HOSTILE = (
    "name: '[red]\\u001b[1m<script>‮'\nqueues: {'[b]é‮\\u001b': }\n"
    "consumers: {'</td>': {queue: '[b]é‮\\u001b', on_message: [{chance: 0.5, do: reject}]}}\n"
    "steps: [{publish: {routing_key: '[b]é‮\\u001b', count: 3}}]\nexpect: {consumers: {'</td>': {acked: 2}}}\n"
).replace("'[b]é‮\\u001b'", '"[b]é‮\\u001b"')
SLOW = (
    "queues: {a: }\nconsumers: {c: {queue: a, on_message: [{chance: 0.1, do: requeue}]}}\n"
    "steps: [{publish: {routing_key: a, count: 3000}}]\n"
)


@pytest.mark.parametrize("format", ["table", "plain", "json"])
def test_the_same_for_any_number_of_processes(format: str) -> None:
    arguments = ("run", FLAKY, "scenarios/hello.yaml", "--seeds", "1..120,500", "--format", format)
    alone = sane(routesim(*arguments))
    assert alone.status == 1
    for jobs in ("2", "5"):
        assert sane(routesim(*arguments, "--jobs", jobs)) == alone


def test_one_object_of_json() -> None:
    done = sane(routesim("run", FLAKY, "--seeds", "90..115", "--format", "json"))
    found = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert (found["format"], found["seeds"], found["runs"], found["ok"], found["drawn"]) == (1, "90..115", 26, False, True)
    assert found["failed"]["first_seeds"] == [
        seed for seed in range(90, 116) if routesim("run", "-q", FLAKY, "--seed", str(seed)).status
    ]


def test_what_it_says() -> None:
    done = sane(routesim("run", FLAKY, "--seeds", "90..115"))
    assert done.status == 1
    assert "✘  lost is 0" in done.out
    assert "not with seeds 98, 111" in done.out
    assert "FAILED  It never failed here: 2 of 26 runs (seeds 90..115) failed, first with seeds 98, 111;" in done.out
    assert sane(routesim("run", FLAKY, "--seeds", "1..20")).status == 0


def test_quiet_says_what_failed_and_the_verdict() -> None:
    done = sane(routesim("run", FLAKY, "scenarios/hello.yaml", "--seeds", "90..115", "--quiet"))
    assert [line.split()[0] for line in done.out.splitlines()] == ["Expectations", "expected", "✘", "✘", "FAILED", "OK"]


def test_where_seeds_change_nothing() -> None:
    done = sane(routesim("run", "scenarios/shoes.yaml", "--seeds", "1..1000000000"))
    assert done.status == 0
    assert (
        "The seeds changed nothing: this scenario draws nothing from its seed; run once, it stands for all 1,000,000,000."
        in done.out
    )


def test_where_what_is_drawn_shows_nowhere(tmp_path: Path) -> None:
    files = written(tmp_path, named="queues: {a: {server_named: true}}\nsteps: [{expect: {lost: 0}}]\n")
    done = sane(routesim("run", *files, "--seeds", "1..9", cwd=tmp_path))
    assert "The seeds changed nothing that is counted here, though something is drawn from them." in done.out
    assert "9 runs" in done.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--seeds", "10..1"), "--seeds: '10..1' runs backwards; write 1..10"),
        (("--seeds", "few"), "--seeds: 'few' is no seed and no range of seeds; write 7, 1..1000 or 1..10,20"),
        (("--seeds", "1..2", "--seed", "3"), "--seed is one seed, --seeds many"),
        (("--seeds", "1..2", "--format", "ndjson"), "with --seeds, --format takes table, plain, json, not 'ndjson'; did you mean 'json'?"),
        (("--seeds", "1..2", "-o", FLAKY), "--output would overwrite the scenario"),
    ],
)  # fmt: skip
def test_what_there_is_not(arguments: tuple[str, ...], text: str) -> None:
    done = sane(routesim("run", FLAKY, *arguments))
    assert (done.status, done.out) == (2, "")
    assert text in done.err


def test_a_mistake_in_one_file_and_nothing_runs(tmp_path: Path) -> None:
    files = written(tmp_path, good=SLOW, bad="queues: {a: {durabel: true}}\n")
    done = sane(routesim("run", *files, "--seeds", "1..3", cwd=tmp_path))
    assert (done.status, done.out) == (2, "")
    assert "durabel" in done.err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_endless_runs_fail(jobs: str, tmp_path: Path) -> None:
    files = written(
        tmp_path,
        endless="queues: {a: }\nconsumers: {c: {queue: a, takes: 1ms, on_message: [{chance: 0.995, do: requeue}]}}\n"
        "steps: [{publish: {routing_key: a}}]\n",
    )
    done = sane(routesim("run", *files, "--seeds", "1..20", "--max-events", "600", "-j", jobs, "--format", "json", cwd=tmp_path))
    found = json.loads(done.out)
    assert done.status == 1
    assert found["ended"]["budget"]["runs"] == found["failed"]["runs"] == 20 - found["ended"]["idle"]["runs"]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_hostile_names_on_a_terminal(columns: int, tmp_path: Path) -> None:
    files = written(tmp_path, hostile=HOSTILE)
    screen = on_terminal("run", *files, "--seeds", "1..30", columns=columns, cwd=tmp_path, NO_COLOR="1")
    assert screen.status == 1
    assert "\x1b[1m<" not in screen.text
    assert "‮" not in screen.text
    assert all(columns_of(line) <= columns for line in screen.lines)
    plain = sane(routesim("run", *files, "--seeds", "1..30", cwd=tmp_path, PYTHONIOENCODING="cp1252"))
    assert plain.status == 1
    assert "[red]" in plain.out


@linux
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c(jobs: str, tmp_path: Path) -> None:
    with running(*written(tmp_path, slow=SLOW), "--seeds", "1..1000000", "-j", jobs, cwd=tmp_path) as process:
        found = until_children(process, 2) if jobs == "2" else []
        time.sleep(0.5)
        for pid in (process.pid, *children(process.pid)):
            os.kill(pid, signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
        assert (process.returncode, out, err) == (130, b"", b"interrupted\n")
        assert gone(found)


@linux
def test_a_process_that_is_killed_is_no_verdict(tmp_path: Path) -> None:
    with running(*written(tmp_path, slow=SLOW), "--seeds", "1..1000000", "-j2", cwd=tmp_path) as process:
        os.kill(until_children(process, 2)[0], signal.SIGKILL)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out) == (3, b"")
    assert err == b"error: a process that ran slow.yaml was killed by SIGKILL; there is no summary without its seeds\n"


def test_the_scenario_that_shows_why() -> None:
    """With its own seed it holds; `test_what_it_says` shows that it need not."""
    assert sane(routesim("run", "-q", FLAKY)).status == 0
    assert "--seeds 1..1000" in (ROOT / FLAKY).read_text(encoding="utf-8")
