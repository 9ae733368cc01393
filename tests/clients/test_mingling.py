"""A worker that connects asks the others what is revoked, and works a second later (rules/celery#2.2-13)."""

import json
from typing import Any

from kits.celery.notation import scenario

from routesim import events
from routesim.events import Event
from routesim.run import Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

W2 = {"worker": {"name": "w2", "do": "start"}}
LATER = {"call": {"task": "t", "id": "later", "countdown": 20}}
REVOKE = {"control": {"do": "revoke", "id": "later"}}


def with_workers(steps: list[Any], *, broker: str = "rabbitmq", **options: Any) -> Scenario:
    celery = {"apps": {"shop": None}, "tasks": {"t": None}, "workers": {"w1": options, "w2": {"start": False, **options}}}
    document = {"broker": {"kind": broker}, "celery": celery, "steps": steps}
    return load_source(Source("row.yaml", json.dumps(document)), "")


def heard(what: Scenario) -> tuple[list[Event], Any]:
    found: list[Event] = []
    return found, Runner(what, found.append).run()


def online(found: list[Event]) -> list[tuple[int, str]]:
    return [(event.at_ms, event.worker) for event in found if isinstance(event, events.WorkerOnline)]


def wait(seconds: int) -> dict[str, Any]:
    return {"wait": f"{seconds}s"}


def test_it_takes_a_second_and_those_that_are_there_at_the_start_are_past_it() -> None:
    found, _ = heard(with_workers([wait(5), W2, wait(5)]))
    assert online(found) == [(0, "w1"), (6_000, "w2")]
    found, _ = heard(with_workers([wait(5), W2, wait(5)], mingle=False))
    assert online(found) == [(0, "w1"), (5_000, "w2")]


def test_it_learns_what_is_revoked_and_tells_what_it_knows() -> None:
    """The one that starts is given the ids; so a rolling restart keeps them, and no worker ever discards what it was told."""
    roll = [LATER, wait(1), REVOKE, wait(1), W2, wait(3), {"worker": {"name": "w1", "do": "warm"}}, wait(30)]
    for broker in ("rabbitmq", "redis"):
        _, kept = heard(with_workers(roll, broker=broker))
        assert kept.tasks.of["later"]["state"] == "REVOKED", broker
        _, forgotten = heard(with_workers(roll, broker=broker, mingle=False))
        assert forgotten.tasks.of["later"]["state"] == "SUCCESS", broker


def test_a_revoke_while_it_asks_is_missed() -> None:
    """It does not listen to commands before the second is over, and the answers came at its beginning."""
    _, result = heard(with_workers([LATER, wait(1), W2, REVOKE, wait(3), {"worker": {"name": "w1", "do": "warm"}}, wait(30)]))
    assert result.tasks.of["later"]["state"] == "SUCCESS"


def test_two_that_start_together_do_not_hear_each_other() -> None:
    stop = [{"worker": {"name": "w1", "do": "warm"}}]
    start = {"worker": {"name": "w1", "do": "start"}}
    found, result = heard(with_workers([wait(1), *stop, W2, start, wait(5)]))
    assert online(found) == [(0, "w1"), (2_000, "w2"), (2_000, "w1")]
    assert not [event for event in found if isinstance(event, events.Published) and "hello" in event.message]
    assert result.broker.ledger.lost == 0


def test_it_asks_again_whenever_it_connects_anew() -> None:
    lost = {"worker": {"name": "w2", "do": "disconnect"}}
    found, _ = heard(with_workers([W2, wait(5), lost, wait(5)]))
    assert online(found) == [(0, "w1"), (1_000, "w2"), (6_000, "w2")]


def test_an_end_within_the_second() -> None:
    for do in ("warm", "cold", "kill"):
        end = {"worker": {"name": "w2", "do": do}}
        found, result = heard(with_workers([W2, {"wait": "500ms"}, end, wait(5), {"call": {"task": "t", "id": "a"}}]))
        assert online(found) == [(0, "w1")]
        assert "w2.reply.celery.pidbox" not in result.broker.queues
        assert result.tasks.of["a"]["state"] == "SUCCESS"


def test_a_plain_worker_does_not_mingle_unless_it_says_how() -> None:
    found, _ = heard(scenario(workers={"w": {"queues": "q", "start": False}}, steps=[{"worker": {"name": "w", "do": "start"}}]))
    assert online(found) == [(0, "w")]
