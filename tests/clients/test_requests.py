"""What a worker makes of a message."""

from typing import Any

import pytest
from kits.celery.notation import eta, scenario, send, signal, wait
from kits.clients import delivered, requested

from routesim.clients.worker.requests import decodable, task_id, task_name
from routesim.events import Event, QosSet, TaskReceived, TaskRejected, TaskStarted, TaskSucceeded
from routesim.model import Task
from routesim.run import Runner

TASK = Task("mail.send")


@pytest.mark.parametrize(
    ("headers", "name"), [({"task": "mail.send"}, "mail.send"), ({}, None), (None, None), ({"task": 5}, None)]
)
def test_the_task_is_a_header(headers: dict[str, Any] | None, name: str | None) -> None:
    assert task_name(delivered(headers)) == name


@pytest.mark.parametrize(("headers", "id"), [({"id": "abc"}, "abc"), ({}, "m1"), ({"id": 5}, "m1")])
def test_the_id_is_a_header_or_the_name_of_the_message(headers: dict[str, Any], id: str) -> None:
    assert task_id(delivered({"task": "t", **headers})) == id


@pytest.mark.parametrize(
    ("body", "content_type", "whether"),
    [("[]", "application/json", True), ("[", "application/json", False), ("", "application/json", False), ("[", "", True)],
)
def test_what_says_that_it_is_json_must_be(body: str, content_type: str, whether: bool) -> None:
    properties = {"content_type": content_type} if content_type else {}
    assert decodable(delivered({"task": "t"}, body, **properties)) is whether


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-01T00:00:05+00:00", 5_000),
        ("2026-01-01T01:00:05+01:00", 5_000),
        ("2026-01-01T00:00:05", 5_000),
        ("2026-01-01T00:00:00.250+00:00", 250),
        ("2025-12-31T23:59:59+00:00", -1_000),
        ("tomorrow", None),
        (None, None),
        (5, None),
    ],
)
@pytest.mark.parametrize("header", ["eta", "expires"])
def test_a_time_of_day_is_a_virtual_time(header: str, text: object, ms: int | None) -> None:
    request = requested(TASK, **{header: text})
    assert {"eta": request.due_ms, "expires": request.expires_ms}[header] == ms


@pytest.mark.parametrize(("value", "retries"), [(2, 2), (None, 0), ("2", 0)])
def test_retries_are_a_number(value: object, retries: int) -> None:
    assert requested(TASK, retries=value).retries == retries


def test_an_eta_that_is_past_starts_after_what_came_with_it() -> None:
    """rules/celery#2.2-6: by way of the timer all the same."""
    worker = {"w": {"queues": "q", "prefetch": 4, "start": False}}
    steps = [send("late", **eta(1)), send("a"), send("b"), wait("2s"), signal("w", "start")]
    heard: list[Event] = []
    Runner(scenario(workers=worker, tasks={"t": {}}, steps=steps), heard.append).run()
    assert [event.task for event in heard if isinstance(event, TaskStarted)] == ["a", "b", "late"]
    assert [event.prefetch for event in heard if isinstance(event, QosSet)] == [4]


def test_of_several_etas_that_are_past_the_earliest_starts_first() -> None:
    """rules/celery#2.2-6: the timer keeps them in that order; a connection that is lost forgets them."""
    worker = {"w": {"queues": "q", "prefetch": 9, "start": False}}
    steps = [send("3rd", **eta(3)), send("1st", **eta(1)), send("a"), send("2nd", **eta(2)), wait("4s"), signal("w", "start")]
    for more in ([], [signal("w", "disconnect")]):
        heard: list[Event] = []
        Runner(scenario(workers=worker, tasks={"t": {"acks": "late"}}, steps=[*steps, *more]), heard.append).run()
        started = [event.task for event in heard if isinstance(event, TaskStarted)]
        assert started[-4:] == ["a", "1st", "2nd", "3rd"]


SHORT = {"takes": 0, "acks": "late"}


@pytest.mark.parametrize(
    ("kind", "pool", "before"),
    [
        ("rabbitmq", "prefork", 4), ("rabbitmq", "threads", 4), ("rabbitmq", "solo", 1),
        ("redis", "prefork", 4), ("redis", "threads", 1), ("redis", "solo", 1),
    ],
)  # fmt: skip
def test_a_body_that_takes_no_time_ends_after_what_is_on_its_way(kind: str, pool: str, before: int) -> None:
    """rules/celery#2.2-17: so many are received before the first end."""
    worker = {"w": {"queues": "q", "prefetch": 4, "pool": pool, "start": False}}
    steps = [*(send(f"t{number}") for number in range(8)), signal("w", "start")]
    heard: list[Event] = []
    broker = {"broker": {"kind": kind}} if kind == "redis" else {}
    Runner(scenario(workers=worker, tasks={"t": SHORT}, steps=steps, **broker), heard.append).run()
    first = next(place for place, event in enumerate(heard) if isinstance(event, TaskSucceeded))
    assert sum(isinstance(event, TaskReceived) for event in heard[:first]) == before


def test_what_is_given_back_comes_again_before_the_next_body_that_takes_no_time_ends() -> None:
    """rules/celery#2.2-17: so it is before what that one gives back."""
    worker = {"w": {"queues": "q", "prefetch": 2, "start": False}}
    once = {"redelivered": False, "ends": "requeue"}
    tasks = {"long": {"takes": "1s", "acks": "late", "runs": [once]}, "short": {**SHORT, "runs": [once]}}
    steps = [send("a", "long"), send("b", "short"), send("c", "long"), signal("w", "start")]
    heard: list[Event] = []
    Runner(scenario(workers=worker, tasks=tasks, steps=steps), heard.append).run()
    assert [event.task for event in heard if isinstance(event, TaskRejected)] == ["a", "b", "c"]
    assert [event.task for event in heard if isinstance(event, TaskStarted)] == ["a", "b", "a", "b", "c", "c"]
