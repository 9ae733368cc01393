"""`--cluster ADDRESS`: the same results by a Dask scheduler and its workers, and what is said where they are not as they must be."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from kits.cli import routesim
from kits.paths import ROOT

import routesim as package

NEEDED = pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed: pip install distributed")
SERVES = """
import sys
from distributed import LocalCluster
cluster = LocalCluster(
    n_workers=int(sys.argv[1]), threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
)
print(cluster.scheduler_address, flush=True)
sys.stdin.read()
"""
# Goes as soon as some of the work is done.
GOES = SERVES.replace(
    "sys.stdin.read()", "import os, time\nwhile cluster.scheduler.transition_counter < 40: time.sleep(0.01)\nos._exit(0)"
)
NOBODY = "tcp://127.0.0.1:9"  # discard: nobody listens there
FLAKY, OUTBOX = "scenarios/flaky-worker.yaml", "scenarios/explore/outbox.yaml"


@contextmanager
def cluster(cwd: Path, workers: int = 2, path: Path | None = None, serves: str = SERVES) -> Iterator[str]:
    """The address of a scheduler with workers in a process of its own, which imports routesim from `path`."""
    env = {**os.environ, "PYTHONPATH": str(path or ROOT), "PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-c", serves, str(workers)], cwd=cwd, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@NEEDED
@pytest.mark.parametrize("format", ["plain", "json"])
def test_walks_find_what_one_process_finds(address: str, format: str) -> None:
    line = ("explore", OUTBOX, "--walks", "150", "--failures", "2", "--at-most-once", "--format", format)
    alone, shared = routesim(*line), routesim(*line, "--cluster", address)
    assert shared.err == ""
    assert (shared.status, shared.out) == (alone.status, alone.out)
    assert "duplicated" in alone.out


@NEEDED
def test_seeds_sum_up_to_what_one_process_finds(address: str) -> None:
    line = ("run", FLAKY, "--seeds", "1..130", "--format", "json")
    alone, shared = routesim(*line), routesim(*line, "--cluster", address)
    assert shared.err == ""
    assert (shared.status, shared.out) == (alone.status, alone.out)


@NEEDED
def test_nobody_is_there(tmp_path: Path) -> None:
    found = routesim("explore", OUTBOX, "--walks", "5", "--cluster", NOBODY, "--output", str(tmp_path / "out.json"))
    assert found.status == 2
    assert f"no Dask scheduler answers at {NOBODY}" in found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "out.json").exists()


@NEEDED
def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    with cluster(tmp_path, workers=0) as address:
        found = routesim("run", FLAKY, "--seeds", "1..9", "--cluster", address)
    assert found.status == 2
    assert "has no workers" in found.err


@NEEDED
def test_workers_without_routesim(tmp_path: Path) -> None:
    (tmp_path / "routesim.py").write_text("raise ModuleNotFoundError(\"No module named 'routesim'\", name='routesim')\n")
    with cluster(tmp_path, path=tmp_path) as address:
        found = routesim("run", FLAKY, "--seeds", "1..9", "--cluster", address)
    assert found.status == 2
    assert "has no routesim; install the one that is here" in found.err


@NEEDED
def test_workers_with_another_routesim(tmp_path: Path) -> None:
    copied = tmp_path / "routesim"
    shutil.copytree(Path(package.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    with (copied / "model.py").open("a") as out:
        out.write("# changed\n")
    with cluster(tmp_path, path=tmp_path) as address:
        found = routesim("run", FLAKY, "--seeds", "1..9", "--cluster", address)
    assert found.status == 2
    assert "has another routesim by the same name" in found.err


@NEEDED
def test_a_cluster_that_goes_in_the_midst_of_it(tmp_path: Path) -> None:
    with cluster(tmp_path, serves=GOES) as address:
        running = subprocess.run(
            [sys.executable, "-m", "routesim", "run", FLAKY, "--seeds", "1..1000000", "--cluster", address], cwd=ROOT, text=True,
            capture_output=True, timeout=120,
        )  # fmt: skip
    assert running.returncode == 3, running.stderr
    assert running.stdout == ""
    assert f"error: the cluster at {address} has gone, or has given the work up" in running.stderr


def test_where_dask_is_not_installed_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('not here')\n")
    found = routesim("run", FLAKY, "--seeds", "1..9", "--cluster", NOBODY, PYTHONPATH=str(tmp_path))
    assert found.status == 2
    assert "--cluster needs Dask: pip install distributed" in found.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("run", FLAKY, "--cluster", NOBODY), "--cluster shares out the runs of --seeds"),
        (("run", FLAKY, "--seeds", "1..9", "--jobs", "2", "--cluster", NOBODY), "without --jobs"),
        (("explore", OUTBOX, "--cluster", NOBODY), "say how many: --walks N"),
    ],
)
def test_what_goes_together(line: tuple[str, ...], said: str) -> None:
    found = routesim(*line)
    assert found.status == 2
    assert said in found.err
