"""`--jobs`: the output of several processes is that of one, and none of them is left when it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kits.cli import within

from routesim.cli.explorers.crew import CrewLost, exploring_crew
from routesim.explore import Bounds
from routesim.explore.parallel import ParallelSearch
from routesim.explore.search import Search
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

WIDE = """
queues: {{a: , b: , c: }}
consumers: {{one: {{queue: a, prefetch: 2, concurrency: 2}}, two: {{queue: b}}, three: {{queue: c}}}}
steps:
{steps}
"""


def wide(messages: int) -> str:
    steps = (f"  - publish: {{routing_key: {'abc'[n % 3]}, id: m{n}, channel: p{n % 3}}}" for n in range(messages))
    return WIDE.format(steps="\n".join(steps))


@pytest.mark.parametrize(
    "more", [("--walks", "70", "--seed", "3"), ("--failures", "1"), ("--failures", "2", "--max-states", "900")]
)
def test_the_output_is_that_of_one(tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "wide.yaml").write_text(wide(3), encoding="utf-8")
    one, two = (within("explore", "wide.yaml", *more, "-f", "json", "--jobs", jobs, cwd=tmp_path) for jobs in "12")
    assert (one.status, one.out) == (two.status, two.out)


def test_several_processes_share_the_states() -> None:
    scenario = load_source(Source("wide.yaml", wide(4)), "")
    bounds = Bounds(max_states=2_500)
    with exploring_crew(2) as crew:
        assert crew is not None
        assert ParallelSearch(scenario, bounds, None, crew).run() == Search(scenario, bounds).run()
        assert all(memory > 0 for memory in crew.memories) or sys.platform == "win32"
        running = [pool.workers[0].process for pool in crew.pools]
        assert [process.is_alive() for process in running] == [True, True]
    assert [process.is_alive() for process in running] == [False, False]


def test_a_process_that_ends_is_told_of() -> None:
    with exploring_crew(2) as crew:
        assert crew is not None
        with pytest.raises(CrewLost, match="status 3"):
            crew.ask(os._exit, [3, 3])


def test_the_bound_by_time_holds(tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text(wide(9), encoding="utf-8")
    arguments = ("--failures", "2", "--no-cures", "--max-seconds", "1", "--jobs", "2")
    done = within("explore", "wide.yaml", *arguments, cwd=tmp_path)
    assert done.status == 3
    assert "--max-seconds 1" in done.out


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another matter there")
def test_after_ctrl_c_it_tells_what_it_knows_and_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text(wide(9), encoding="utf-8")
    command = [sys.executable, "-m", "routesim", "explore", "wide.yaml", "--failures", "2", "--no-cures", "--max-seconds", "300"]
    run = subprocess.Popen(
        [*command, "--jobs", "2"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(_group(run.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(_group(run.pid)) == 3
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "interrupted" in out
    assert _group(run.pid) == []


def _group(number: int) -> list[int]:
    """The processes of a group, where the system tells."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("no /proc")
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == number and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found
