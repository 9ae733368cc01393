"""Celery's versions: what each knows and has, and what that makes of a scenario (rules/celery#2.4)."""

import json
from pathlib import Path
from typing import Any

import pytest
from celery import __version__
from celery.app.defaults import DEFAULTS
from kits.scenario import checked, ok, only, play, routesim, warned

from routesim.celery.settings import SETTINGS, CelerySettings
from routesim.celery.versions import EXCLUSIVE, NEWEST, SETTINGS_SINCE, VERSIONS, UnknownCelery, celery_rules, known_version

RECORDED = Path(__file__).with_name("recorded")
OLD = VERSIONS[:-1]


def recorded(version: str) -> dict[str, str]:
    found: dict[str, Any] = json.loads((RECORDED / f"settings-{version}.json").read_text())
    assert known_version(found["celery"]) == version
    names: dict[str, str] = found["settings"]
    return names


def test_the_newest_is_the_one_that_is_asked() -> None:
    assert known_version(__version__) == NEWEST


@pytest.mark.parametrize("version", OLD)
def test_each_version_knows_its_settings(version: str) -> None:
    rules = celery_rules(version)
    assert {name for name in SETTINGS if rules.knows(SETTINGS_SINCE.get(name))} == recorded(version).keys()


@pytest.mark.parametrize("version", OLD)
def test_defaults_that_differ_are_known(version: str) -> None:
    differ = {name for name, default in recorded(version).items() if default != repr(DEFAULTS[name])}
    assert differ <= {*EXCLUSIVE, "database_engine_options"}
    for name in EXCLUSIVE:
        assert CelerySettings({}, celery_rules(version))[name] is False
        assert CelerySettings()[name] is True


@pytest.mark.parametrize(("text", "version"), [("5.6", "5.6"), ("5.6.3", "5.6"), ("5.7.0b1", "5.7"), ("5.5.0rc2", "5.5")])
def test_a_patch_is_of_its_version(text: str, version: str) -> None:
    assert celery_rules(text).version == version


@pytest.mark.parametrize("text", ["4.4", "5", "6.0", "latest"])
def test_an_unknown_one_says_which_are_known(text: str) -> None:
    with pytest.raises(UnknownCelery, match=r"5\.5, 5\.6, 5\.7"):
        celery_rules(text)
    problem = only(f"celery: {{version: {text}, apps: {{shop: }}}}\n")
    assert (problem.code, problem.marked) == ("unknown-version", text)


SHOP = """
rabbitmq: "{rabbitmq}"
celery:
  version: {version}
  apps: {{shop: }}
  workers: {{w1: {{{worker}}}}}
  tasks: {{a: }}
steps:
{step}  - call: {{task: a, id: a}}
  - wait: 3s
expect: {{workers: {{w1: {{online: {online}}}}}, queues: {{celery: {{ready: {ready}}}}}}}
"""
STEP = "  - worker: {name: w1, do: start}\n    fails: 541\n"


@pytest.mark.parametrize("version", ["5.5", '"5.6"', "5.6.3"])
@pytest.mark.parametrize(("worker", "step"), [("fails: 541", ""), ("start: false", STEP), ("start: false, mingle: false", STEP)])
def test_an_old_worker_does_not_start_at_rabbitmq_4_3(version: str, worker: str, step: str) -> None:
    text = SHOP.format(rabbitmq="4.3", version=version, worker=worker, step=step, online="false", ready="[a]")
    outcome = play(text)
    assert outcome.status == 0, outcome
    refusals = [error for error in outcome.result["errors"] if error["code"] == 541]
    assert sum(1 + error.get("more", 0) for error in refusals) == 101  # Celery gives up after a hundred more


@pytest.mark.parametrize(("rabbitmq", "version"), [("4.3", "5.7"), ("4.0", "5.6"), ("3.10", "5.5")])
def test_others_start(rabbitmq: str, version: str) -> None:
    assert all(checked(SHOP.format(rabbitmq=rabbitmq, version=version, worker="", step="", online="true", ready="0")))


def test_a_worker_that_was_to_be_refused_and_is_not_fails_the_run() -> None:
    text = SHOP.format(rabbitmq="4.3", version="5.7", worker="fails: 541", step="", online="true", ready="0")
    outcome = play(text)
    assert outcome.status == 1
    assert "worker 'w1' was to be refused with 541, but was not" in outcome.out


def test_other_refusals_are_no_part_of_that() -> None:
    text = SHOP.format(rabbitmq="4.3", version="5.6", worker="fails: 406", step="", online="false", ready="[a]")
    assert play(text).status == 1


DELAYED = """
rabbitmq: "4.0"
celery:
  version: {version}
  apps:
    shop:
      task_queues:
        celery: {{exchange: t, exchange_type: topic, queue_arguments: {{x-queue-type: quorum}}}}
        bc: {{broadcast: true}}
  workers: {{w1: , w2: }}
  tasks: {{a: }}
steps:
  - call: {{task: a, id: now}}
  - call: {{task: a, id: later, countdown: 2}}
expect: {{tasks: {{now: {{runs: 1}}, later: {{runs: {runs}}}}}}}
"""


@pytest.mark.parametrize(("version", "runs"), [("5.5", 3), ("5.6", 3), ("5.7", 1)])
def test_delayed_tasks_reach_broadcast_queues_up_to_5_6(version: str, runs: int) -> None:
    assert all(checked(DELAYED.format(version=version, runs=runs)))


LATER = """
rabbitmq: "4.0"
celery:
  version: {version}
  apps: {{shop: {{task_retry_on_worker_lost: true, worker_eta_task_limit: 3}}}}
  workers: {{w1: }}
  tasks: {{a: {{acks_late: true, acks_on_timeout: false, time_limit: 1, takes: 2s}}}}
steps: [{{call: {{task: a, id: a}}}}, {{wait: 1500ms}}]
"""


@pytest.mark.parametrize(
    ("version", "unknown"),
    [
        ("5.5", ["task_retry_on_worker_lost", "worker_eta_task_limit", "acks_on_timeout"]),
        ("5.6", ["task_retry_on_worker_lost", "acks_on_timeout"]),
        ("5.7", []),
    ],
)
def test_what_a_version_does_not_know_has_no_effect(version: str, unknown: list[str]) -> None:
    text = LATER.format(version=version)
    told = [(problem.code, problem.marked) for problem in warned(text + "until: 1500ms\n")]
    assert told == [("no-effect", name) for name in unknown]
    expanded = routesim("celery", "expand", "s.yaml", files={"s.yaml": text}).out
    assert ("on_timeout: requeue" in expanded) == ("acks_on_timeout" not in unknown)
    assert ("on_worker_lost: retry" in expanded) == ("task_retry_on_worker_lost" not in unknown)
    assert ("eta_limit: 3" in expanded) == ("worker_eta_task_limit" not in unknown)


@pytest.mark.parametrize(("version", "told"), [("5.6", {"failed": 0, "rejected": 1}), ("5.7", {"failed": 1, "rejected": 1})])
@pytest.mark.parametrize("acks_late", [True, False])
def test_who_rejects_for_good_has_failed_from_5_7_on(version: str, told: dict[str, int], acks_late: bool) -> None:
    """rules/celery#2.4."""
    late = str(acks_late).lower()
    text = f"""
    rabbitmq: "4.0"
    celery: {{version: "{version}", apps: {{a: {{task_acks_late: {late}}}}}, workers: {{w: }}, tasks: {{t: {{ends: reject}}}}}}
    steps: [call: {{task: t, id: x}}]
    expect: {{workers: {{w: {{failed: {told["failed"]}, rejected: {told["rejected"] if acks_late else 0}}}}}}}
    """
    assert ok(text)


REFUSED = """
rabbitmq: "4.3"
{top}celery:
  version: "{version}"
  apps: {{shop: {{{settings}}}}}
  workers: {{w1: {{{worker}}}}}
  tasks: {{a: }}
steps: [{{call: {{task: a, id: a}}}}{steps}]
"""


def refused_worker(version: str, **more: str) -> str:
    return REFUSED.format(**{"top": "", "settings": "", "worker": "", "steps": "", "version": version, **more})


@pytest.mark.parametrize(("version", "own"), [("5.5", False), ("5.6", True)])
def test_a_worker_that_rabbitmq_refuses_has_cures(version: str, own: bool) -> None:
    problem = only(refused_worker(version))
    assert (problem.code, problem.marked) == ("refused", "w1")
    cures = [
        'version: "5.7"',
        "permit: [transient_nonexcl_queues]",
        "workers: {w1: {fails: 541}}",
        *["event_queue_exclusive: true"] * own,
    ]
    assert all(cure in problem.cure for cure in cures)
    assert own or "event_queue_exclusive" not in problem.cure


@pytest.mark.parametrize(
    "more",
    [
        {"version": "5.7"}, {"settings": "control_queue_exclusive: true, event_queue_exclusive: true"},
        {"top": "broker: {permit: [transient_nonexcl_queues]}\n"}, {"worker": "fails: 541"},
    ],
)  # fmt: skip
def test_each_of_them_helps(more: dict[str, str]) -> None:
    assert play(refused_worker(**{"version": "5.6", **more})).status == 0


def test_a_worker_that_is_refused_when_it_starts_is_told_once_with_the_cures() -> None:
    text = refused_worker("5.6", worker="start: false", steps=", {worker: {name: w1, do: start}}")
    said = routesim("run", "-q", "s.yaml", files={"s.yaml": text}).out
    assert said.count("no error outside the steps") == 1
    assert said.count('help     Celery 5.7 (`version: "5.7"`)') == 2
    task = routesim("explain", "task", "s.yaml", "a", files={"s.yaml": text}).out
    assert "RabbitMQ refuses w1, who would run it: INTERNAL_ERROR" in task
    assert "hint: Celery 5.7" in task


def test_a_queue_that_is_not_celerys_has_the_cure_of_any_queue() -> None:
    text = refused_worker("5.7", top="queues: {own: {durable: false}}\n")
    assert only(text).cure.startswith("make the queue durable or exclusive")


HELD = """
rabbitmq: "{rabbitmq}"
celery: {{version: "{version}", apps: {{a: {{worker_prefetch_multiplier: 1{settings}}}}}, workers: {{w: }}, tasks: {{t: }}}}
steps: [{{call: {{task: t, id: later, countdown: 5}}}}, {{call: {{task: t, id: now}}}}, {{wait: 1s}}]
until: steps
expect: {{tasks: {{now: {{runs: {runs}}}}}}}
"""


@pytest.mark.parametrize(("version", "rabbitmq", "runs"), [
    ("5.5", "4.0", 1), ("5.5", "4.2", 1), ("5.5", "3.13", 1), ("5.6", "3.13", 1), ("5.6", "4.0", 0), ("5.7", "4.0", 0),
])  # fmt: skip
def test_a_limit_of_the_channel_grows_with_every_eta(version: str, rabbitmq: str, runs: int) -> None:
    """And one of a consumer does not."""
    assert ok(HELD.format(version=version, rabbitmq=rabbitmq, runs=runs, settings=""))


def test_a_quorum_queue_has_a_limit_of_each_consumer_in_5_5_too() -> None:
    quorum = (
        ", task_default_queue_type: quorum, broker_native_delayed_delivery_queue_type: classic, worker_detect_quorum_queues: %s"
    )
    for detects in ("true", "false"):
        text = HELD.format(version="5.5", rabbitmq="4.0", runs=1, settings=quorum % detects)
        expanded = routesim("celery", "expand", "s.yaml", files={"s.yaml": text}).out
        assert ("prefetch_of: consumer" in expanded) == (detects == "true")


BLIP = """
rabbitmq: "4.0"
celery:
  version: "{version}"
  apps: {{a: {{worker_concurrency: 2, worker_prefetch_multiplier: 2, task_acks_late: true}}}}
  workers: {{w: }}
  tasks: {{long: {{takes: 12s}}, t: {{takes: 1h}}}}
steps:
  - call: {{task: long, id: l}}
  - wait: 3s
  - worker: {{name: w, do: disconnect}}
  - wait: 30s
  - call: {{task: t, count: 9}}
until: steps
expect: {{queues: {{celery: {{unacked: {unacked}}}}}}}
"""


@pytest.mark.parametrize(("version", "unacked"), [("5.5", 4), ("5.6", 2), ("5.7", 4)])
def test_a_consumer_keeps_the_limit_that_a_lost_connection_left_in_5_6(version: str, unacked: int) -> None:
    """In 5.5 it is one of the channel, which is given back."""
    assert ok(BLIP.format(version=version, unacked=unacked))


def test_what_a_caller_is_refused_is_no_part_of_what_a_worker_is() -> None:
    """Its queue for the answers to a ping is as the worker's inbox is."""
    text = refused_worker("5.6", worker="fails: 541", steps=", {control: {do: ping}}")
    outcome = routesim("run", "-q", "s.yaml", files={"s.yaml": text})
    assert outcome.status == 1
    assert "step 2 is carried out: control {do: ping}\n    found    INTERNAL_ERROR" in outcome.out
    assert "help     Celery 5.7" in outcome.out


def test_a_ping_may_be_refused_on_purpose() -> None:
    """And a command that is not refused fails the run."""
    text = refused_worker("5.6", worker="fails: 541", steps=", {control: {do: ping}, fails: 541}")
    assert play(text).status == 0
    assert play(refused_worker("5.7", steps=", {control: {do: ping}, fails: 541}")).status == 1
