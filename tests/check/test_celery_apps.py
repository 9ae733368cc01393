"""`check` of scenarios with Celery: an app that works has no error, and Redis is looked at as far as rules hold there."""

import json

import pytest
from kits.scenario import routesim

SOUND = [
    "{celery: , dag: {routing_key: 'dag.#'}}",  # on the direct default exchange, as many have it
    "{celery: , a: {routing_key: work}, b: {routing_key: work}}",
    "{celery: {exchange: all, routing_key: 'x.*'}, mail: {exchange: all, routing_key: '#'}}",
]
TEXT = """
rabbitmq: "4.0"
celery: {apps: {shop: {task_queues: %s}}, workers: {w1: }, tasks: {step: }}
steps:
  - call: {task: step, id: s}
%s
expect: {tasks: {s: {state: SUCCESS}}}
"""


def findings(text: str) -> list[tuple[str, str]]:
    outcome = routesim("check", "s.yaml", "--format", "json", files={"s.yaml": text})
    return [(item["severity"], item["code"]) for item in json.loads(outcome.out)["files"][0]["findings"]]


@pytest.mark.parametrize("queues", SOUND)
def test_bindings_that_celery_never_uses_are_no_error(queues: str) -> None:
    found = findings(TEXT % (queues, ""))
    assert {severity for severity, _ in found} <= {"note"}
    assert {code for _, code in found} <= {"wildcard-on-direct"}


def test_one_to_which_somebody_publishes_is_an_error_as_ever() -> None:
    step = "  - publish: {exchange: celery, routing_key: dag.run, id: m}"
    assert ("error", "wildcard-on-direct") in findings(TEXT % (SOUND[0], step))


REDIS = """
broker: {kind: redis}
celery:
  apps: {shop: {task_queues: {celery: , other: }}}
  workers: {w1: {queues: [celery]}, w2: {start: false, queues: [celery], prefetch_multiplier: 0}}
  tasks: {a: {reject_on_worker_lost: true}}
  beats: {b: {schedule: {e: {task: a, crontab: "0 5 * * *"}}}}
steps: [{call: {task: b, queue: other}}, {wait: 1m}]
"""


def test_redis_is_looked_at_too() -> None:
    found = findings(REDIS)
    wanted = ["not-simulated", "late-acks-needed", "never-due", "unknown-task", "queue-without-consumer", "prefetch-unlimited"]
    assert sorted(code for _, code in found) == sorted(wanted)
    assert not [code for severity, code in found if severity == "error"]


MISSING = """
celery: {apps: {shop: {}}, workers: {w1: {}}, tasks: {a: }}
steps:
  - call: {task: a, queue: fresh}
  - declare: {exchanges: {own: direct}, queues: {o: }, bindings: [{source: own, destination: o, routing_key: key}]}
"""


def test_an_exchange_that_a_call_declares_is_not_told_to_drop_keys() -> None:
    """Celery sends to its queue by name; one that a step declares is looked at as ever."""
    outcome = routesim("check", "s.yaml", "--select", "exchange-drops-some", files={"s.yaml": MISSING})
    assert "exchange 'own' drops keys" in outcome.out
    assert "exchange 'fresh'" not in outcome.out
    outcome = routesim("check", "s.yaml", files={"s.yaml": MISSING})
    assert "queue 'fresh', while other queues have one; start a worker with -Q fresh" in outcome.out
