"""One table of queue arguments: no second one, and its rows agree with what is derived from them."""

import ast
from pathlib import Path

import pytest

import routesim
from routesim.broker.policies import OTHER_KEYS, POLICY_KEYS, UNSUPPORTED
from routesim.queues import QUEUE_TYPES, QueueSettings
from routesim.queues.arguments import ARGUMENT, ARGUMENTS, COMPARED, FIRST, LARGER, OPERATOR, POLICY, SMALLER, TYPES
from routesim.versions import NEWEST, NEWEST_PATCH, parse, rules

ROOT = Path(routesim.__file__).parent
TABLE = ROOT / "queues" / "arguments.py"
LENGTHS = {"x-max-length", "x-max-length-bytes"}
DEAD = {"x-dead-letter-exchange", "x-dead-letter-routing-key"}
# Who acts on an argument, or writes one, names it; a list of arguments is nowhere but in the table.
NAMED = {
    "queues/argument_checks.py": {"x-dead-letter-exchange", "x-max-age"},  # a check looks at another argument, names its own
    "queues/classic.py": {"x-max-priority", "x-queue-master-locator"},
    "queues/quorum.py": {"x-delivery-limit"},
    "queues/settings.py": {"x-delivery-limit"},  # what is no number
    "queues/declaring.py": {"x-queue-type"},
    "queues/consumer_arguments.py": {"x-consumer-timeout"},  # a consumer's argument of the same name
    # Looked at before all others; a vhost's default; a consumer's own timeout.
    "broker": {"x-consumer-timeout", "x-dead-letter-exchange", "x-queue-type"},
    "redis": {"x-expires", "x-max-priority"},  # what kombu does with them
    "rabbitmq": {"x-max-length", "x-queue-type", "x-single-active-consumer"},  # of its own queue, that of a recording
    "celery_app/left_out.py": {"x-dead-letter-exchange"},  # an app that names one and declares none
    "control/management/import_faults.py": {"x-max-age"},  # one that stops an import otherwise than the others
    "explore/hands.py": {"x-consumer-timeout"},  # a consumer's own
    "control/management/queues.py": {"x-queue-type"},  # which RabbitMQ adds to what it tells
    "explain/queues/redis_queue.py": {"x-expires"},  # of kombu's queues
    "run": {"x-expires", "x-queue-type"},
    "scenario": {"x-dead-letter-exchange", "x-queue-type"},  # `type:` beside it; names of exchanges
    # How other programs spell them, and which of theirs are numbers.
    "scenario/imports": {
        *LENGTHS, *DEAD, "x-expires", "x-max-priority", "x-message-ttl", "x-overflow", "x-queue-mode", "x-queue-type",
    },
    # What is without effect, or is missed.
    "check": {
        *DEAD, "x-dead-letter-strategy", "x-delivery-limit", "x-expires", "x-max-age", "x-max-length-bytes", "x-max-priority",
        "x-overflow", "x-queue-master-locator", "x-queue-mode",
    },
    # What is tried against a loss.
    "explore/cures.py": {*DEAD, "x-dead-letter-strategy", "x-delivery-limit", "x-overflow", "x-queue-type"},
    "report": {"x-dead-letter-exchange", "x-max-priority"},
    "verify/verifying.py": {"x-message-ttl", "x-queue-type", "x-single-active-consumer"},
    # Scenarios made at random, and the queues that Celery and kombu declare.
    "verify/drawing": {
        *DEAD, *LENGTHS, "x-consumer-timeout", "x-dead-letter-strategy", "x-delayed-retry-max", "x-delayed-retry-min",
        "x-delayed-retry-type", "x-delivery-limit", "x-expires", "x-max-priority", "x-message-ttl", "x-overflow",
        "x-single-active-consumer",
    },
    "celery": {
        *LENGTHS, "x-dead-letter-exchange", "x-dead-letter-strategy", "x-expires", "x-max-priority", "x-message-ttl", "x-overflow",
        "x-queue-type",
    },
    # What differs between two versions for these.
    "explain/upgrade/touching.py": {
        "x-consumer-timeout", "x-delivery-limit", "x-expires", "x-max-priority", "x-queue-master-locator", "x-queue-mode",
        "x-queue-version",
    },
    "scenario/celery": {*LENGTHS, "x-expires", "x-max-priority", "x-message-ttl"},
}  # fmt: skip


def test_no_other_file_has_a_table_of_arguments() -> None:
    found: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)}
        name = path.relative_to(ROOT).as_posix()
        part = max((part for part in NAMED if name == part or name.startswith(f"{part}/")), key=len, default=name)
        if path != TABLE and (named := texts & ARGUMENTS.keys()):
            found.setdefault(part, set()).update(named)
    assert found == NAMED


def test_every_setting_is_set_by_one_argument() -> None:
    assert sorted(row.sets.name for row in ARGUMENTS.values() if row.sets) == sorted(QueueSettings._fields)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_row_says_what_is_known(name: str) -> None:
    row = ARGUMENTS[name]
    spans = [*row.types.values(), *([row.policy.since, row.policy.operator or FIRST] if row.policy else [])]
    assert name.startswith("x-")
    assert row.types
    assert row.types.keys() <= set(TYPES)
    assert all(since == FIRST or parse(since) for since in spans)
    assert bool(row.place) == (row.types.get("quorum") == FIRST)
    if row.sets:
        assert {row.sets.wins(kind, rules(minor)) for kind in TYPES for minor in NEWEST_PATCH} <= {SMALLER, ARGUMENT, POLICY}
    if row.policy:
        assert row.policy.merged in (SMALLER, LARGER, OPERATOR)
        assert set(row.policy.not_for) < set(TYPES)
        assert row.policy.is_known(rules(NEWEST), operator=False)


def test_what_follows_from_the_rows() -> None:
    assert set(QUEUE_TYPES) == set(TYPES)
    places = [ARGUMENTS[name].place for name in COMPARED["quorum"]]
    assert places == list(range(1, len(places) + 1))
    assert not OTHER_KEYS.keys() & {name.removeprefix("x-") for name in ARGUMENTS}
    assert all(UNSUPPORTED[kind] <= POLICY_KEYS.keys() for kind in TYPES)


@pytest.mark.parametrize(
    ("version", "since", "is_one"),
    [
        ("4.3", "4.3.0", True),
        ("4.3.0", "4.3.1", False),
        ("3.12", "3.12.7", True),
        ("3.12.6", "3.12.7", False),
        ("3.10", "", True),
    ],
)
def test_spans_of_versions(version: str, since: str, is_one: bool) -> None:
    assert rules(version).is_at_least(since) is is_one
