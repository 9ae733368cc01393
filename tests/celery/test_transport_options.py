"""`broker_transport_options` of an app act on Redis: in a scenario, in what is imported, in a comparison."""

import json
from typing import Any

import pytest
from kits.scenario import only, routesim, warned
from kombu.transport.redis import Channel

from routesim.celery.setting_table import HARMLESS, MATTERS
from routesim.celery.transport_options import TRANSPORT_OPTIONS, on_redis
from routesim.testing.api import loads

APP = """
broker: {kind: redis%s}
celery:
  apps: {shop: {broker_transport_options: %s, task_acks_late: true}}
  workers: {w1: , w2: }
  tasks: {report: {takes: 5m}}
steps: [call: {task: report, id: r}]
"""


def scenario(options: dict[str, Any], own: str = "") -> Any:
    return loads(APP % (own, json.dumps(options)))


@pytest.mark.parametrize("name", sorted(set(Channel.from_transport_options) | {"confirm_publish", "polling_interval"}))
def test_every_option_of_kombus_redis_is_known(name: str) -> None:
    row = TRANSPORT_OPTIONS[name]
    theirs = getattr(Channel, name, row.default)
    if row.effect != HARMLESS:
        assert (list(theirs) if isinstance(theirs, (list, tuple)) else theirs) == row.default


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {}),
        ({"visibility_timeout": 120}, {"visibility_timeout": 120_000}),
        ({"visibility_timeout": 0.5, "unacked_restore_limit": 3}, {"visibility_timeout": 500, "restore_limit": 3}),
        ({"unacked_restore_interval": 2}, {"restore_every": 20_000}),
        ({"unacked_restore_throttle": 1}, {"restore_every": 10_000}),
        ({"unacked_restore_interval": 0, "unacked_restore_throttle": 0}, {"restore_every": 10_000}),
        ({"priority_steps": [0, 5], "queue_order_strategy": "sorted"}, {"priority_steps": (0, 5), "queue_order": "sorted"}),
        ({"confirm_publish": True, "socket_timeout": 5}, {}),
    ],
)
def test_they_are_settings_of_the_broker(options: dict[str, Any], fields: dict[str, Any]) -> None:
    settings = scenario(options).settings
    assert settings == type(settings)(kind="redis", **fields)


def test_the_brokers_own_setting_wins() -> None:
    assert scenario({"visibility_timeout": 5}, ", visibility_timeout: 7").settings.visibility_timeout == 7_000


def test_what_is_written_out_has_them() -> None:
    outcome = routesim("celery", "expand", "s.yaml", files={"s.yaml": APP % ("", "{visibility_timeout: 5}")})
    assert "visibility_timeout: 5s" in outcome.out


def test_a_limit_gives_back_the_newest_alone_each_time() -> None:
    text = """
broker: {kind: redis, visibility_timeout: 1, restore_every: 10s, restore_limit: 1}
queues: {q: }
consumers: {dead: {queue: q, takes: 1m}, late: {queue: q, start: false}}
steps:
  - publish: {routing_key: q, id: a}
  - publish: {routing_key: q, id: b}
  - crash: dead
  - consume: late
  - wait: 15s
  - expect: {consumers: {late: {delivered: [b]}}}
  - wait: 10s
  - expect: {consumers: {late: {delivered: [b, a]}}}
"""
    assert warned(text) == []


def test_what_is_wrong_is_told_where_it_stands() -> None:
    for options, marked in (
        ("{visibility_timeout: soon}", "soon"),
        ("{priority_steps: [3, 0]}", "["),
        ("{queue_order_strategy: fair}", "fair"),
    ):
        assert only(APP % ("", options)).marked.startswith(marked[:4])


@pytest.mark.parametrize("name", [name for name, row in TRANSPORT_OPTIONS.items() if row.effect == MATTERS])
def test_what_is_not_simulated_is_told(name: str) -> None:
    value = "dead" if TRANSPORT_OPTIONS[name].default is None else False
    [problem] = warned(APP % ("", json.dumps({name: value})))
    assert (problem.code, problem.marked) == ("not-simulated", json.dumps(name))


def test_a_misspelt_one_is_told() -> None:
    [problem] = warned(APP % ("", "{visibilty_timeout: 5}"))
    assert (problem.code, problem.cure) == ("not-simulated", "did you mean 'visibility_timeout'?")


def test_two_apps_that_differ_are_told() -> None:
    text = """
broker: {kind: redis}
celery:
  apps: {a: {broker_transport_options: {visibility_timeout: 5}}, b: {broker_transport_options: {visibility_timeout: 6}}}
"""
    [problem] = warned(text)
    assert "visibility_timeout differs between the apps" in problem.message


def test_a_comparison_uses_them() -> None:
    text = (APP % ("", "{visibility_timeout: 60}")).replace("broker: {kind: redis}", "")
    outcome = routesim("celery", "compare", "s.yaml", files={"s.yaml": text})
    assert outcome.status == 1, outcome.out
    assert "visibility timeout" in outcome.out
    assert routesim("celery", "compare", "s.yaml", "--visibility-timeout", "3600", files={"s.yaml": text}).status == 0


def test_a_limit_of_0_gives_nothing_back() -> None:
    assert on_redis({"unacked_restore_limit": 0}) == {"restore_limit": 0}  # ZRANGE … LIMIT 0 0 finds nothing
