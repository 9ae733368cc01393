"""`routesim run --coverage`: which bindings no message and no route used, over all files."""

import json
from pathlib import Path

import pytest
from kits.cli import Done, routesim, sane

TOP = """
exchanges: {shop: topic, dead: fanout}
queues: {a: {arguments: {x-dead-letter-exchange: dead}}, b: , c: }
bindings:
  - {source: shop, destination: a, routing_key: a.*}
  - {source: shop, destination: b, routing_key: b.*}
  - {source: dead, destination: c}
"""
FIRST = TOP + "consumers: {c1: {queue: a, on_message: reject}}\nsteps:\n  - publish: {exchange: shop, routing_key: a.1}\n"
SECOND = TOP + "routes:\n  - {exchange: shop, routing_key: b.1, queues: [b]}\n"
HOSTILE = (
    'queues: {"\\e[31m[red]": }\nbindings:\n  - {source: amq.topic, destination: "\\e[31m[red]", routing_key: "<b>\\u202e\\n"}\n'
)


def run(folder: Path, *arguments: str) -> Done:
    for name, text in (("first.yaml", FIRST), ("second.yaml", SECOND), ("hostile.yaml", HOSTILE)):
        (folder / name).write_text(text, encoding="utf-8")
    return sane(routesim("run", *arguments, cwd=folder))


def test_what_a_message_used_and_what_not(tmp_path: Path) -> None:
    done = run(tmp_path, "-q", "--coverage", "first.yaml")
    assert done.status == 0
    assert done.out.splitlines()[1:] == [
        "Bindings used: 2 of 3, 66.6 %",
        "  not used         where",
        "  shop → b by b.*  first.yaml:6",
    ]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_several_files_are_one_sum_and_routes_count(tmp_path: Path, jobs: str) -> None:
    done = run(tmp_path, "-q", "--fail-under", "100", "-j", jobs, "first.yaml", "second.yaml")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("Bindings used: 3 of 3, 100 %\n")


@pytest.mark.parametrize(("least", "status"), [("100", 1), ("66.7", 1), ("66", 0), ("0", 0)])
def test_too_little_is_status_1(tmp_path: Path, least: str, status: int) -> None:
    done = run(tmp_path, "-q", "--fail-under", least, "first.yaml")
    assert done.status == status
    assert ("were asked for" in done.out) is bool(status)


@pytest.mark.parametrize("format", ["json", "ndjson"])
def test_what_a_program_reads_stays_as_it_is(tmp_path: Path, format: str) -> None:
    done = run(tmp_path, "--coverage", "--format", format, "first.yaml")
    for line in done.out.splitlines():
        json.loads(line)
    assert "Bindings used: 2 of 3" in done.err


def test_without_bindings_nothing_is_missing(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("queues: {q: }\n")
    done = sane(routesim("run", "-q", "--fail-under", "100", "none.yaml", cwd=tmp_path))
    assert (done.status, done.out.splitlines()[-1]) == (0, "Bindings used: 0 of 0, 100 %")


def test_hostile_names(tmp_path: Path) -> None:
    done = run(tmp_path, "-q", "--coverage", "hostile.yaml")
    assert "\x1b" not in done.out
    assert len(done.out.splitlines()) == 4


def test_not_with_seeds(tmp_path: Path) -> None:
    done = run(tmp_path, "--coverage", "--seeds", "1..3", "first.yaml")
    assert (done.status, done.out) == (2, "")
    assert "--coverage" in done.err
