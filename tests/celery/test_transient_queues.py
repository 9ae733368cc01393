"""Attributes of queues that act on messages and consumers: delivery_mode of their exchange, no_ack (rules/celery#1.2)."""

import re
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry
from kits.scenario import checked, ok, only, routesim
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


TASK = """
rabbitmq: "4.0"
celery:
  apps: {shop: {task_routes: {b: {queue: celery, delivery_mode: 1}}%s}}
  workers: {w1: {start: false}}
  tasks: {a: {delivery_mode: 1}, b: {delivery_mode: 2}, c: , d: }
steps:
  - call: {task: a, id: a}
  - call: {task: b, id: b}
  - call: {task: c, id: c}
  - call: {task: d, id: d}
  - restart: clean
expect: {queues: {celery: {ready: [%s]}}}
"""


@pytest.mark.parametrize(("more", "left"), [("", "b, c, d"), (", task_annotations: {d: {delivery_mode: 1}}", "b, c")])
def test_a_task_may_be_transient_whatever_its_route_says(more: str, left: str) -> None:
    """As Celery does it: the task's option wins over the route's."""
    assert checked(TASK % (more, left))[0]


@pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")
def test_celery_takes_the_mode_of_a_task_for_a_retry_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so does the scenario."""
    app = Celery("shop", broker="memory://", set_as_current=False)
    sent: list[int] = []
    monkeypatch.setattr(Producer, "publish", lambda self, body, **more: sent.append(more["delivery_mode"]))

    @app.task(name="a", bind=True, delivery_mode=1, shared=False)
    def a(self: Any) -> None: ...

    a.apply_async()
    to = {"exchange": "", "routing_key": "celery", "priority": 0, "redelivered": False}
    a.push_request(id="x", called_directly=False, args=(), kwargs={}, retries=0, delivery_info=to)
    with pytest.raises(Retry):
        a.retry(countdown=1)
    assert sent == [1, 1]
    text = TASK % ("", "b, c, d")
    again = text.replace("{delivery_mode: 1}, b", "{delivery_mode: 1, ends: retry, countdown: 9}, b").replace(
        "{start: false}", ""
    )
    again = again.replace("- call: {task: b, id: b}", "- worker: {name: w1, do: warm}").replace("b, c, d", "c, d")
    assert all(checked(again))


PRIORITIES = """
celery:
  apps:
    fast: {task_queues: {celery: {consumer_arguments: {x-priority: 9}}}}
    slow: {}
  workers: {a: {app: slow}, b: {app: fast}}
  tasks: {t: {takes: 1s, app: [slow, fast]}}
  producers: {p: {app: slow}}
steps: [call: {task: t, by: p, id: x, count: 4}]
expect: {workers: {b: {received: 4}, a: {received: 0}}}
"""


def test_a_consumer_with_a_priority_is_served_first() -> None:
    assert all(checked(PRIORITIES))


def test_arguments_that_the_queue_does_not_take_are_refused() -> None:
    """As RabbitMQ refuses them: the worker does not start."""
    text = PRIORITIES.replace("x-priority: 9", "x-stream-offset: first").replace("b: {app: fast}", "b: {app: fast, fails: 406}")
    assert checked(text.replace("b: {received: 4}, a: {received: 0}", "b: {online: false}"))[0]


def test_arguments_of_a_queue_that_the_worker_does_not_consume_are_told() -> None:
    text = "queues: {q: , r: }\nworkers: {w: {queues: q, consumer_arguments: {r: {x-priority: 1}}}}\n"
    problem = only(text)
    assert (problem.code, problem.marked) == ("unknown-queue", "r")
