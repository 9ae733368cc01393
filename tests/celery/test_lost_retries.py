"""Native delayed delivery and a retry that carries x-death: the second such retry is lost (rules/celery#1.5)."""

import json
from pathlib import Path
from typing import Any

import pytest

from routesim import events
from routesim.events import Event
from routesim.run import Result, Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

TEXT = (Path(__file__).parent / "x-death-bug.yaml").read_text(encoding="utf-8")


def charged(headers: str, version: str) -> Scenario:
    text = TEXT.replace("retry_headers: copy", f"retry_headers: {headers}").replace('"3.10"', json.dumps(version))
    return load_source(Source("x-death-bug.yaml", text), "")


def run(what: Scenario) -> tuple[Result, list[Event]]:
    heard: list[Event] = []
    return Runner(what, heard.append).run(), heard


def state(result: Any) -> dict[str, Any]:
    assert result.tasks is not None
    found: dict[str, Any] = result.tasks.of["t"]
    return found


@pytest.mark.parametrize("version", ["3.10", "3.12"])
def test_the_second_retry_with_the_x_death_of_the_first_is_dropped(version: str) -> None:
    result, heard = run(charged("copy", version))
    assert state(result)["state"] == "RETRY"
    assert state(result)["runs"] == 2
    (dropped,) = [event for event in heard if isinstance(event, events.Dropped)]
    assert (dropped.message, dropped.queue) == ("t-retry-2", "celery_delayed_1")
    (cut,) = [event for event in heard if isinstance(event, events.CycleCut)]
    assert cut.queue == "celery_delayed_0"
    assert sum(queue.ready_count() for queue in result.broker.queues.values()) == 0


@pytest.mark.parametrize(("headers", "version"), [("clean", "3.10"), ("clean", "4.1"), ("copy", "4.1")])
def test_without_it_or_where_the_broker_ignores_it_the_task_succeeds(headers: str, version: str) -> None:
    result, heard = run(charged(headers, version))
    assert state(result)["state"] == "SUCCESS"
    assert state(result)["runs"] == 3
    assert not [event for event in heard if isinstance(event, events.Dropped)]
