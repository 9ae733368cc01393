"""A sweep is the sum of its runs, whoever adds them up."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from kits.paths import SCENARIOS

from routesim import events
from routesim.broker import counts
from routesim.report.answers.sweep import SeedsReport, sweep_object
from routesim.run import Runner
from routesim.run.sweeps.sweep import FIRST_SEEDS, MAX_ERRORS, Sweep, sweep
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

FLAKY = """
queues:
  work: {type: quorum, arguments: {x-delivery-limit: 1, x-dead-letter-exchange: dlx}}
  short: {arguments: {x-max-length: 2, x-message-ttl: 40}}
  dead:
exchanges: {dlx: fanout, any: x-random}
bindings:
  - {source: dlx, destination: dead}
  - {source: any, destination: work}
  - {source: any, destination: short}
consumers:
  worker: {queue: work, prefetch: 1, takes: 30ms, on_message: [{chance: 0.3, do: crash, restart: 20ms}]}
steps:
  - publish: {exchange: any, count: 12, every: 10ms}
  - wait: 100ms
  - get: {queue: dead, auto_ack: true}
  - expect: {queues: {short: {ready: "<= 2"}}}
  - {publish: {exchange: gone}, fails: 404}
expect:
  queues: {work: {ready: 0}, dead: {ready: 0}}
  consumers: {worker: {delivered: 8}}
"""


def scenario(text: str = FLAKY) -> Scenario:
    return load_source(Source("flaky.yaml", text), "")


def object_of(found: Sweep) -> dict[str, object]:
    answer: dict[str, object] = json.loads(json.dumps(sweep_object(SeedsReport(scenario(), found, "1..40", 40))))
    return answer


def rank(values: list[int], share: float) -> int:
    return sorted(values)[-(-len(values) * round(share * 1000) // 1000) - 1]


def test_it_is_the_sum_of_single_runs() -> None:
    """Every figure counted once more, from the events and results of runs by themselves."""
    held: dict[str, list[bool]] = {}
    waits: dict[str, list[int]] = {}
    copies: dict[str, int] = {}
    delivered: list[int] = []
    columns: dict[str, list[int]] = {}
    failed, codes = [], []
    for seed in range(1, 41):
        heard: list[events.Event] = []
        result = Runner(scenario(), heard.append, seed=seed).run()
        for item in result.expectations:
            held.setdefault(item.text, []).append(item.ok)
        failed += [] if result.ok else [seed]
        codes += [error.code for error in result.errors]
        entered: dict[int, tuple[str, int]] = {}
        seen: set[int] = set()
        for event in heard:
            if isinstance(event, events.Enqueued):
                entered[event.copy] = (event.queue, event.at_ms)
                copies[event.queue] = copies.get(event.queue, 0) + 1
            elif isinstance(event, (events.Delivered, events.Got)) and event.copy is not None and event.copy not in seen:
                seen.add(event.copy)
                queue, at_ms = entered[event.copy]
                waits.setdefault(queue, []).append(event.at_ms - at_ms)
        delivered.append(sum(isinstance(event, events.Delivered) for event in heard))
        for name, value in {**counts(result.broker), "clock_ms": result.broker.now}.items():
            columns.setdefault(name, []).append(value)
    found = object_of(sweep(scenario(), range(1, 41)))
    assert found["failed"] == {"runs": len(failed), "first_seeds": failed[:FIRST_SEEDS]}
    assert found["ok"] is False
    assert 0 < len(failed) < 40, "a scenario that shows something"
    assert [(item["text"], item["checked"], item["held"]) for item in found["expectations"]] == [  # type: ignore[attr-defined]
        (text, 40, sum(oks)) for text, oks in held.items()
    ]
    for item in found["expectations"]:  # type: ignore[attr-defined]
        assert item["first_failing_seeds"] == [seed for seed, ok in enumerate(held[item["text"]], 1) if not ok][:FIRST_SEEDS]
    assert found["errors"] == [
        {"code": 404, "text": found["errors"][0]["text"], "expected": True, "runs": 40, "first_seeds": [1, 2, 3, 4, 5]}  # type: ignore[index]
    ]
    assert codes == [404] * 40
    assert found["waits_ms"] == {
        queue: {
            "deliveries": len(waits.get(queue, [])), "never_delivered": copies[queue] - len(waits.get(queue, [])),
            **({
                "min": min(of), "median": rank(of, 0.5), "p90": rank(of, 0.9), "p99": rank(of, 0.99), "max": max(of), "step": 1,
            } if (of := waits.get(queue)) else {}),
        }
        for queue in copies
    }  # fmt: skip
    assert set(copies) == {"work", "short", "dead"}
    assert found["deliveries"] == {"worker": {"min": min(delivered), "median": rank(delivered, 0.5), "max": max(delivered)}}
    assert found["counts"] == {
        name: {"min": min(values), "median": rank(values, 0.5), "max": max(values)} for name, values in columns.items()
    }


@pytest.mark.parametrize("cuts", [(1, 41), (1, 2, 41), (1, 8, 9, 30, 41), tuple(range(1, 42))])
def test_however_the_seeds_are_shared_out(cuts: tuple[int, ...]) -> None:
    whole, merged = sweep(scenario(), range(1, 41)), Sweep()
    for begin, end in pairwise(cuts):
        merged.merge(sweep(scenario(), range(begin, end)))
    assert object_of(merged) == object_of(whole)


def test_what_is_kept_does_not_grow() -> None:
    """Errors of ever new kinds, as names drawn from the seed would make them."""
    found = Sweep()
    base = sweep(scenario(), [1])
    (kind, tally), *_ = base.errors.items()
    for number in range(3 * MAX_ERRORS):
        base.errors = {(kind[0], f"no queue '{number}'", kind[2]): tally}
        found.merge(base)
    assert len(found.errors) == MAX_ERRORS
    assert found.more_errors == 2 * MAX_ERRORS
    assert all(len(tally.seeds) <= FIRST_SEEDS for tally in (*found.errors.values(), *found.ended.values(), found.failed))


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_run_that_draws_nothing_is_the_run_of_every_seed(path: Path) -> None:
    """Which is why it is carried out only once."""
    one = load(str(path))
    first = sweep(one, [1], max_events=3_000)
    if first.drawn:
        assert path.stem == "flaky-worker"
        return
    other = sweep(one, [12_345], max_events=3_000)
    found, expected = (json.dumps(sweep_object(SeedsReport(one, item, "", 1))) for item in (other, first))
    assert found.replace("12345", "1") == expected


def test_a_step_that_is_not_come_to() -> None:
    """A livelock ends the run before its last steps."""
    found = sweep(
        scenario(
            "queues: {a: }\nconsumers: {c: {queue: a, on_message: [{chance: 0.9999, do: requeue}]}}\n"
            "steps: [publish: {routing_key: a}, expect: {queues: {a: {ready: 0}}}]\n"
        ),
        range(30),
    )
    (tally,) = found.expectations.values()
    assert tally.times == 0
    assert tally.runs == 30 - found.ended["livelock"].times > 0
    assert not found.ok
