"""`routesim run --jobs`: many scenarios at once, and nobody can tell from what comes out."""

import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.cli import LIMIT_S, on_terminal, routesim, sane
from kits.paths import SCENARIO_FILES, SCENARIOS
from kits.process import gone, linux, running, until_busy, until_children, written

from routesim.cli.shared.processes import Died, Pool, count_of

FORMATS = ("table", "plain", "json", "ndjson", "junit", "github", "tap", "html")
FAILS = "queues: {a: }\nsteps: [{publish: {routing_key: a}}]\nexpect: {queues: {a: {ready: 7}}}\n"
HOSTILE = "name: '[red]\\u001b[1m‮é'\nqueues: {'[b]é‮': }\nsteps: [{publish: {routing_key: '[b]é‮', id: '<x>'}}]\n"
ENDLESS = (
    "queues: {a: {type: quorum, arguments: {x-delivery-limit: -1}}}\nconsumers: {c: {queue: a, takes: 1ms, on_message: requeue}}\n"
    "steps: [{publish: {routing_key: a}}]\n"
)
LONG = "queues: {a: }\nconsumers: {c: {queue: a}}\nsteps:\n  - publish: {routing_key: a, count: 1000000000}\n"
QUICK = "queues: {a: }\nsteps: [{publish: {routing_key: a, id: quick}}]\n"
BROKEN = "queues: {a: {durabel: true}}\n"


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["all", "quiet"])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("jobs", ["2", "0"])
def test_the_same_bytes_as_one_after_the_other(jobs: str, format: str, quiet: tuple[str, ...], tmp_path: Path) -> None:
    files = [str(path) for path in SCENARIO_FILES[:6]]
    files += written(tmp_path, fails=FAILS, hostile=HOSTILE, endless=ENDLESS, quick=QUICK)
    arguments = ("run", *files, "--format", format, "--max-events", "2000", *quiet)
    alone = sane(routesim(*arguments, cwd=tmp_path))
    assert alone.status == 3  # the endless one
    assert sane(routesim(*arguments, "--jobs", jobs, cwd=tmp_path)) == alone


def test_an_encoding_that_lacks_signs(tmp_path: Path) -> None:
    files = written(tmp_path, hostile=HOSTILE, quick=QUICK)
    alone = sane(routesim("run", *files, cwd=tmp_path, PYTHONIOENCODING="cp1252"))
    assert sane(routesim("run", *files, "-j2", cwd=tmp_path, PYTHONIOENCODING="cp1252")) == alone


@pytest.mark.parametrize("columns", [60, 120])
def test_on_a_terminal(columns: int, tmp_path: Path) -> None:
    files = [str(SCENARIOS / "shoes.yaml"), *written(tmp_path, hostile=HOSTILE, fails=FAILS)]
    alone, together = (on_terminal("run", *files, "-j", jobs, columns=columns, cwd=tmp_path) for jobs in "12")
    assert together == alone
    assert "\x1b[" in together.text


def test_into_a_file_and_from_stdin(tmp_path: Path) -> None:
    files = written(tmp_path, fails=FAILS, quick=QUICK)
    done = [
        sane(routesim("run", "-", *files, "-o", f"out{jobs}", "-j", jobs, stdin=HOSTILE.encode(), cwd=tmp_path)) for jobs in "12"
    ]
    assert done[0] == done[1]
    assert done[0].status == 1
    assert (tmp_path / "out1").read_bytes() == (tmp_path / "out2").read_bytes() != b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fails.yaml", "out1", "out2", "quick.yaml"]


def test_an_error_in_any_file_and_nothing_runs(tmp_path: Path) -> None:
    files = written(tmp_path, quick=QUICK, broken=BROKEN, fails=FAILS, worse="steps: 7\n")
    alone = sane(routesim("run", *files, "absent.yaml", cwd=tmp_path))
    together = sane(routesim("run", *files, "absent.yaml", "-j3", "-o", "out", cwd=tmp_path))
    assert together == alone
    assert (together.status, together.out) == (2, "")
    assert all(name in together.err for name in ("broken.yaml", "worse.yaml", "absent.yaml"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [("--jobs", "-1"), ("--jobs", "many"), ("--format", "jsn", "-j2")])
def test_what_there_is_not(arguments: tuple[str, ...]) -> None:
    assert sane(routesim("run", "scenarios/hello.yaml", "scenarios/shoes.yaml", *arguments)).status == 2


def test_one_file_or_one_job_stays_in_the_process(tmp_path: Path) -> None:
    files = written(tmp_path, quick=QUICK, other=QUICK)
    code = (
        "import sys\nfrom routesim.cli.main import main\nsys.argv = ['routesim', 'run', *sys.argv[1:]]\n"
        "try: main()\nfinally: print('multiprocessing' in sys.modules)"
    )
    for arguments, found in ((files, "False"), ([files[0], "-j4"], "False"), ([*files, "-j2"], "True")):
        done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == found


# Time, signals and closed pipes --------------------------------------------------------------------------------------


@linux
def test_a_report_shows_while_others_still_run(tmp_path: Path) -> None:
    files = written(tmp_path, quick=QUICK, long=LONG)
    with running(*files, "-j2", "--format", "ndjson", cwd=tmp_path) as process:
        assert process.stdout is not None
        while b'"confirmed", "message": "quick"' not in (line := process.stdout.readline()):
            assert line.endswith(b"}\n")
        assert process.poll() is None
        for _ in range(1000):  # of the long one too, which is far from its end
            assert process.stdout.readline().endswith(b"}\n")
        assert process.poll() is None


@linux
def test_ctrl_c_ends_all(tmp_path: Path) -> None:
    with running(*written(tmp_path, one=LONG, two=LONG, three=QUICK), "-j2", "--quiet", cwd=tmp_path) as process:
        found = until_children(process, 2)
        time.sleep(0.3)
        for pid in (process.pid, *found):  # as a terminal does it
            os.kill(pid, signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
        assert (process.returncode, out, err) == (130, b"", b"interrupted\n")
        assert gone(found)


@linux
def test_children_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with running(*written(tmp_path, one=LONG, two=QUICK), "-j2", "--quiet", cwd=tmp_path) as process:
        found = until_children(process, 2)
        time.sleep(0.3)
        process.kill()
        assert gone(found)


@linux
def test_a_process_that_is_killed_is_no_verdict_and_the_others_go_on(tmp_path: Path) -> None:
    files = written(tmp_path, quick=QUICK, long=LONG, fails=FAILS)
    with running(*files, "-j2", "--quiet", cwd=tmp_path) as process:
        found = until_children(process, 2)
        busiest = until_busy(found, 0.5)  # only the long one takes so long
        os.kill(busiest, signal.SIGKILL)
        out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 3
    assert err == b"error: the process that ran long.yaml was killed by SIGKILL; its output ends where it was\n"
    assert [line.split()[0] for line in out.splitlines() if line[:1] not in b" "] == [b"OK", b"Failures", b"FAILED", b"3"]


@linux
def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    files = written(tmp_path, one=LONG, two=LONG)
    with running(*files, "-j2", "--format", "ndjson", cwd=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = until_children(process, 2)
        process.stdout.close()
        assert process.wait(timeout=LIMIT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert gone(found)


# The pool itself -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["spawn", "fork"])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """Two processes, started as everywhere, and as on Linux."""
    if request.param == "fork" and (sys.platform != "linux" or threading.active_count() > 1):
        pytest.skip("needs Linux and a process without threads")
    with Pool(2) as made:
        made.context = multiprocessing.get_context(request.param)
        yield made


def test_answers_in_the_order_of_the_questions(pool: Pool) -> None:
    pool.ask(operator.neg, range(40), ahead=3)
    assert list(pool.in_order()) == [-number for number in range(40)]
    pool.ask(operator.neg, [])
    assert list(pool.in_order()) == []
    pool.ask(str, [1])
    assert list(pool.in_order()) == ["1"]


def test_what_the_work_raises_is_raised_here(pool: Pool) -> None:
    pool.ask(int, ["1", "x", "2"])
    answers = pool.in_order()
    assert next(answers) == 1
    with pytest.raises(ValueError, match="invalid literal") as problem:
        next(answers)
    assert "Traceback" in problem.value.__notes__[0]


def test_a_process_that_ends_is_an_answer_too(pool: Pool) -> None:
    pool.ask(os._exit, [3])
    assert list(pool.in_order()) == [Died(3)]
    pool.ask(operator.neg, [1, 2, 3])
    assert list(pool.in_order()) == [-1, -2, -3]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-9, "was killed by SIGKILL"),
        (1, "ended with status 1"),
        (-99, "was killed by signal 99"),
        (None, "ended with status None"),
    ],
)
def test_how_it_ended(code: int | None, text: str) -> None:
    assert str(Died(code)) == text


def test_how_many() -> None:
    assert count_of(3) == 3
    assert count_of(0) >= 1
    assert count_of(1_000) <= 60
