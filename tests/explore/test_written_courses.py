"""Counterexamples with worker processes, written as scenarios: `run` repeats them, event by event."""

from pathlib import Path
from typing import Any

import pytest
from kits.cli import within
from kits.paths import SCENARIOS

from routesim import events
from routesim.explore import Bounds, bounds_of, explored, retold_scenario
from routesim.explore.retelling.of_workers import NotRetold, retold_course
from routesim.narration import sentence_of
from routesim.run import Runner
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

CLASSICS = [path for path in sorted((SCENARIOS / "explore").glob("*.yaml")) if "celery:" in path.read_text(encoding="utf-8")]
OTHERS = {  # with what is particular in each
    "connection-blip-runs-twice": "expects something between its steps",
    "countdown-meets-consumer-timeout": "its waits fail, and others do after a failure",
    "lost-with-its-worker": "breaks what is asked without a failure",
    "quorum-blocks-eta": "a step of it is refused",
    "soft-shutdown": "its own steps end its workers",
}
DROPPED = ("explore:", "never:", "description:")
PLAIN = """
queues: {q: }
tasks: {slow: {takes: 5s}}
workers: {one: {queues: [q]}, two: {queues: [q]}}
steps:
  - publish: {routing_key: q, id: m, headers: {task: slow, id: m}}
  - wait: 2s
  - wait: 10s
"""
COUNTDOWN = """
celery: {apps: {shop: {}}, tasks: {charge: {takes: 5s}}, workers: {w1: {concurrency: 1}}}
steps:
  - call: {task: charge, id: c, countdown: 4s}
  - wait: 10s
"""


def happened(scenario: Scenario) -> list[tuple[str, int, str | None]]:
    heard: list[Any] = []
    Runner(scenario, heard.append).run()
    return [
        (type(event).__name__, event.at_ms, sentence_of(event))
        for event in heard
        if type(event) not in (events.StepStarted, events.Expected)
    ]


def written(file: Path, bounds: Bounds) -> list[str]:
    """Every counterexample, each tried: `run` finds what the text expects, and meets what the exploration met."""
    scenario, text = load(str(file)), file.read_text(encoding="utf-8")
    found = explored(scenario, bounds, cures=False)
    texts = []
    for item in found.explored.asked:
        if item.example is None:
            continue
        texts.append(retold_course(scenario, Source(str(file), text), str(file.parent), item))
        again = load_source(Source("again.yaml", texts[-1]), str(file.parent))
        assert again.expect
        result = Runner(again).run()
        assert result.ok, (result.errors, [check for check in result.expectations if not check.ok], texts[-1])
        assert happened(again) == happened(retold_scenario(found, item)), texts[-1]
        assert all(f"# FAILURE: {failure}" in texts[-1] for failure in item.example.failures)
        assert not any(line.startswith(DROPPED) for line in texts[-1].splitlines())
    return texts


@pytest.mark.parametrize("path", CLASSICS, ids=lambda path: path.stem)
def test_run_repeats_the_classics(path: Path) -> None:
    scenario = load(str(path))
    texts = written(path, bounds_of(scenario))
    assert len(texts) == len(scenario.explore.breaks if scenario.explore is not None else ())
    assert all("\ncelery:" in text and "call: {task: charge" in text for text in texts)


@pytest.mark.parametrize("name", OTHERS)
def test_run_repeats_what_is_broken_elsewhere(name: str) -> None:
    kinds = (("crash", 1), ("restart", 1), ("kill", 1), ("die", 1))
    assert written(SCENARIOS / "celery" / f"{name}.yaml", Bounds(failures=1, kinds=kinds, expect="always", max_states=30))


@pytest.mark.parametrize("kinds", [(("crash", 2),), (("die", 1), ("kill", 1)), (("kill_worker", 1), ("die", 1))])
def test_several_failures_at_their_instants(tmp_path: Path, kinds: tuple[tuple[str, int], ...]) -> None:
    """Of processes without anything of Celery's."""
    (tmp_path / "plain.yaml").write_text(PLAIN + "expect: {tasks: {m: {state: SUCCESS}}}\n", encoding="utf-8")
    assert written(tmp_path / "plain.yaml", Bounds(failures=2, kinds=kinds, expect="always", max_states=300))


def test_a_failure_amid_a_wait_cuts_it(tmp_path: Path) -> None:
    """It is lost once it has begun, when its countdown is over."""
    (tmp_path / "late.yaml").write_text(COUNTDOWN, encoding="utf-8")
    (text,) = written(
        tmp_path / "late.yaml", Bounds(failures=1, kinds=(("kill_child", 1), ("kill_worker", 1)), properties=("lost",))
    )
    steps = [line.strip("- ") for line in text.partition("steps:\n")[2].splitlines()]
    assert steps[1:5] == ["wait: 4s", "# FAILURE: w1 is killed", "worker: {name: w1, do: kill}", "wait: 6s"]


def test_another_file_than_the_explored_one_is_not_taken_for_it() -> None:
    (path,) = [path for path in CLASSICS if path.stem == "celery-early-ack"]
    scenario = load(str(path))
    (item,) = explored(scenario, bounds_of(scenario), cures=False).explored.broken
    changed = path.read_text(encoding="utf-8").replace("takes: 5s", "takes: 6s, acks_late: true")
    with pytest.raises(NotRetold, match="--format html shows the run"):
        retold_course(scenario, Source(str(path), changed), "", item)


def test_it_is_written_wherever_it_is_wanted(tmp_path: Path) -> None:
    """The definitions file that the scenario includes is found from there."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "definitions.json").write_text('{"queues": [{"name": "q", "vhost": "/", "durable": true}]}', encoding="utf-8")
    text = PLAIN.replace("queues: {q: }", "definitions: definitions.json")
    (tmp_path / "plain.yaml").write_text(text, encoding="utf-8")
    done = within("explore", "plain.yaml", "--failures", "crash=1", "--write", "inside/kept.yaml", cwd=tmp_path)
    assert done.status == 1, done
    assert within("run", "inside/kept.yaml", "--quiet", cwd=tmp_path).status == 0
    assert within("run", "kept.yaml", "--quiet", cwd=tmp_path / "inside").status == 0
