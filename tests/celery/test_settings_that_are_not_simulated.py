"""Settings of Celery that would change the outcome and are not simulated: every command that reads them says so."""

import json
from datetime import UTC

import pytest
from kits.scenario import problems_in, routesim, warned

from routesim.celery.settings import MATTERS, SETTINGS, CelerySettings, what_matters

TOLD = [name for name, setting in SETTINGS.items() if setting.effect == MATTERS and not setting.refused]


def file(settings: dict[str, object], broker: str = "rabbitmq") -> str:
    return json.dumps({
        "broker": {"kind": broker}, "celery": {"apps": {"shop": settings}, "workers": {"w1": {}}, "tasks": {"a": {}}},
        "steps": [{"call": {"task": "a"}}, {"wait": "1s"}],
    }, indent=1)  # fmt: skip


def other(name: str) -> object:
    """A value that is not the default."""
    default = SETTINGS[name].default
    if isinstance(default, bool):
        return not default
    if isinstance(default, (int, float)):
        return default + 7
    return {"other": 1} if isinstance(default, dict) else "other"


@pytest.mark.parametrize("name", TOLD)
def test_each_is_told_where_it_acts(name: str) -> None:
    where = SETTINGS[name].where
    settings = {name: other(name), "result_backend": "rpc://"}
    [problem] = warned(file(settings, "redis" if where == "redis" else "rabbitmq"))
    assert (problem.code, problem.message) == ("not-simulated", f"{name} is not simulated: {SETTINGS[name].meaning}")
    assert problem.marked == json.dumps(name)


@pytest.mark.parametrize("name", TOLD)
def test_celerys_default_is_not_told(name: str) -> None:
    default = SETTINGS[name].default
    assert warned(file({name: default, "result_backend": "rpc://"}, "redis")) == []


@pytest.mark.parametrize("name", [name for name in TOLD if SETTINGS[name].where])
def test_what_needs_something_is_told_nowhere_else(name: str) -> None:
    assert what_matters(CelerySettings({name: other(name), "timezone": UTC}), redis=False) == {}


@pytest.mark.parametrize("command", [("run", "-q"), ("check",), ("celery", "expand"), ("celery", "monitor")], ids=" ".join)
def test_every_command_says_it(command: tuple[str, ...]) -> None:
    outcome = routesim(*command, "s.yaml", files={"s.yaml": file({"worker_consumer": "shop.Consumer"})})
    assert "worker_consumer is not simulated: another program" in outcome.err + outcome.out


def test_what_is_harmless_is_told_nowhere() -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": file({"worker_log_color": True, "task_track_started": True})})
    assert (outcome.status, problems_in(outcome.err)) == (0, [])


@pytest.mark.parametrize(
    ("settings", "broker", "told"),
    [
        ({"broker_url": "redis://cache/0"}, "rabbitmq", True),
        ({"broker_url": "redis://cache/0"}, "redis", False),
        ({"broker_url": "sentinel://cache/0"}, "redis", False),
        ({"broker_url": "amqp://rabbit/shop"}, "redis", True),
        ({"broker_url": "pyamqp://rabbit/shop"}, "rabbitmq", False),
        ({"broker_transport": "redis"}, "rabbitmq", True),
    ],
)
def test_an_address_of_another_kind_of_broker_is_told(settings: dict[str, object], broker: str, told: bool) -> None:
    assert [problem.code for problem in warned(file(settings, broker))] == ["no-effect"] * told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"task_serializer": "pickle"}, True),
        ({"task_serializer": "pickle", "accept_content": ["pickle", "json"]}, False),
        ({"task_serializer": "pickle", "accept_content": ["application/x-python-serialize"]}, False),
        ({"accept_content": ["yaml"]}, True),
        ({"accept_content": ["application/json"]}, False),
        ({"task_serializer": "json", "accept_content": "json"}, False),
    ],
)
def test_content_that_no_worker_accepts_is_told(settings: dict[str, object], told: bool) -> None:
    assert [problem.code for problem in warned(file(settings))] == ["not-simulated"] * told
