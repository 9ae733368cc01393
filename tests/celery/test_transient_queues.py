"""Attributes of queues that act on messages and consumers: delivery_mode of their exchange, no_ack (rules/celery#1.2)."""

import re
from typing import Any

import pytest
from celery import Celery
from kits.scenario import checked, ok, routesim
from kombu import Exchange, Producer, Queue

QUEUES = """
rabbitmq: "4.0"
celery:
  apps:
    shop:
      task_queues: {celery: , passing: {exchange: passing, delivery_mode: 1%s}}
      task_routes: {add: passing}
  workers: {w1: {%s}}
  tasks: {add: {takes: 1s}, keep: {takes: 1s}}
"""
RESTART = """
steps:
  - call: {task: add, id: a}
  - call: {task: keep, id: k}
  - restart: clean
expect: {queues: {passing: {ready: 0}, celery: {ready: [k]}}, lost: 1}
"""
HOARDED = """
steps:
  - call: {task: add, id: a, count: 10}
  - expect: {queues: {passing: {ready: %d}}}
  - wait: 2500ms
  - worker: {name: w1, do: kill}
expect: {queues: {passing: {ready: %d}}, tasks: {a-3: {runs: 1}}}
"""


def test_a_transient_queue_loses_its_tasks_at_a_restart() -> None:
    assert all(checked(QUEUES % ("", "start: false") + RESTART))


@pytest.mark.parametrize(("no_ack", "left", "after"), [("", 5, 7), (", no_ack: true", 0, 0)])
def test_without_acknowledgement_a_worker_takes_all_there_is_and_it_is_gone_with_it(no_ack: str, left: int, after: int) -> None:
    assert all(checked(QUEUES % (no_ack, "") + HOARDED % (left, after)))


def test_nothing_is_acknowledged_there() -> None:
    found = ok(QUEUES % (", no_ack: true", "") + "steps: [call: {task: add, id: a}]\nexpect: {tasks: {a: {state: SUCCESS}}}\n")
    assert [event["tag"] for event in found.of("acked") if event["message"] == "a"] == []


@pytest.mark.parametrize(
    "options", [{}, {"queue": "passing"}, {"queue": "celery"}, {"exchange": "passing", "routing_key": "passing"}]
)
def test_celery_takes_the_mode_from_the_queues_exchange(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """And the scenario does as it does."""
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.task_queues = [Queue("celery"), Queue("passing", Exchange("passing", delivery_mode=1), routing_key="passing")]
    app.conf.task_routes = {"add": "passing"} if not options else None
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Producer, "publish", lambda self, body, **more: sent.append(more))
    app.send_task("add", **options)
    text = QUEUES % ("", "start: false")
    if options:
        text = text.replace("task_routes: {add: passing}", "task_routes: {}")
    given = "".join(f", {key}: {value}" for key, value in options.items())
    text = f"{text}steps: [call: {{task: add, id: a{given}}}]\n"
    expanded = routesim("celery", "expand", "s.yaml", files={"s.yaml": text}).out
    assert re.findall(r"\bdelivery_mode: (\d)", expanded) == [str(sent[0]["delivery_mode"])]
