"""Rules that recorded runs do not hold, beside a real broker of each version: both engines agree, in the words of refusals too."""

import pytest

from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import text
from routesim.verify.verifying import verify

STREAM_OFFSETS = ("7x", "", "0h", "01h", "1.5h", "first", "yesterday", -1, True)
CONSUMES = {
    "classic": [
        {"x-priority": "high"}, {"x-priority": True}, {"x-cancel-on-ha-failover": "x"}, {"x-stream-offset": "first"},
        {"x-consumer-timeout": 5000}, {"x-stream-filter": "a"}, {"unknown": 1},
    ],
    "quorum": [
        {"x-priority": "high"}, {"x-cancel-on-ha-failover": True}, {"x-consumer-timeout": "x"}, {"x-consumer-timeout": -1},
        {"x-stream-filter": "a"},
    ],
    "stream": [
        *({"x-stream-offset": offset} for offset in STREAM_OFFSETS), {"x-priority": 1}, {"x-consumer-timeout": 5000},
        {"x-stream-filter": "a"},
    ],
}  # fmt: skip


def agrees(session: BrokerSession, data: dict[str, object]) -> None:
    verdict = verify(load_source(Source("live", text(data)), "", rabbitmq=session.profile), session)
    assert verdict.skipped is None
    assert verdict.difference is None, verdict.difference


@pytest.mark.parametrize("kind", CONSUMES)
def test_arguments_of_consumers(session: BrokerSession, kind: str) -> None:
    """rules/queues#3.1, rules/queues#8.3."""
    prefetch = {"prefetch": 5} if kind == "stream" else {}
    consumers = {
        f"c{number}": {"queue": "q", "start": False, "on_message": "hold", "arguments": arguments, **prefetch}
        for number, arguments in enumerate(CONSUMES[kind])
    }
    agrees(session, {
        "queues": {"q": {"type": kind}}, "consumers": consumers, "steps": [{"consume": name} for name in consumers],
    })  # fmt: skip


def test_what_streams_and_single_active_queues_do_not_do(session: BrokerSession) -> None:
    """rules/queues#3.10, rules/queues#8.2."""
    consumers = {
        "none": {"queue": "s", "start": False},
        "automatic": {"queue": "s", "start": False, "prefetch": 5, "auto_ack": True},
    }
    steps = [{"get": {"queue": "one"}}, {"get": {"queue": "s"}}, *({"consume": name} for name in consumers)]
    one = {"type": "quorum", "arguments": {"x-single-active-consumer": True}}
    agrees(session, {"queues": {"s": {"type": "stream"}, "one": one}, "consumers": consumers, "steps": steps})


LIMITS = [
    (5, -1, None),
    (-1, 3, None),
    (-1, None, 3),
    (5, None, -1),
    (None, 5, -1),
    (None, -1, 5),
    (-1, -1, None),
    (3, 5, 2),
    ("x", 3, None),
]


@pytest.mark.parametrize(("argument", "policy", "operator"), LIMITS)
def test_delivery_limits_of_argument_policy_and_operator(
    session: BrokerSession, argument: object, policy: int | None, operator: int | None
) -> None:
    """rules/routing#O8, rules/routing#O9, rules/queues#2.10."""
    if session.version.startswith("3.") and -1 in (policy, operator):
        pytest.skip("3.x refuses it")
    sections = {"policies": policy, "operator_policies": operator}
    declared = {
        section: [{"name": "p", "pattern": "^q$", "apply-to": "queues", "definition": {"delivery-limit": limit}}]
        for section, limit in sections.items()
        if limit is not None
    }
    arguments = {} if argument is None else {"arguments": {"x-delivery-limit": argument}}
    agrees(session, {
        "queues": {"q": {"type": "quorum", **arguments}}, **declared,
        "consumers": {"c": {"queue": "q", "prefetch": 1, "on_message": [{"attempt": "<= 8", "do": "requeue"}, {"do": "ack"}]}},
        "steps": [{"publish": {"routing_key": "q", "id": "m"}}],
    })  # fmt: skip


def test_a_tag_that_comes_back_holds_what_it_held(session: BrokerSession) -> None:
    """rules/queues#3.3."""
    agrees(session, {
        "queues": {"q": {"type": "quorum"}}, "consumers": {"c": {"queue": "q", "prefetch": 3, "on_message": "hold"}},
        "steps": [{"publish": {"routing_key": "q", "count": 6}}, {"cancel": "c"}, {"consume": "c"}],
    })  # fmt: skip


@pytest.mark.parametrize("queue", [{"arguments": {"x-queue-master-locator": "min-masters"}}, {"durable": False}])
def test_denied_features(session: BrokerSession, queue: dict[str, object]) -> None:
    """rules/queues#1.16."""
    agrees(session, {"steps": [{"declare": {"queues": {"q": queue}}}, {"publish": {"routing_key": "q"}}]})


TO_ONE, TO_BOTH = {"routing_key": "gone"}, {"exchange": "both"}
COMMITS = {
    "its only queue is deleted": [{"publish": TO_ONE}, {"delete": {"queue": "gone"}}],
    "mandatory": [{"publish": {**TO_ONE, "mandatory": True}}, {"delete": {"queue": "gone"}}],
    "one of two queues is deleted": [{"publish": TO_BOTH}, {"delete": {"queue": "gone"}}],
    "and more is published": [
        {"publish": {"routing_key": "rest"}}, {"publish": TO_BOTH}, {"publish": {"routing_key": "rest"}},
        {"delete": {"queue": "gone"}},
    ],
    "declared anew": [{"publish": TO_BOTH}, {"delete": {"queue": "gone"}}, {"declare": {"queues": {"gone": {}}}}],
    "rolled back": [{"publish": TO_ONE}, {"delete": {"queue": "gone"}}, {"tx": {"channel": "t", "do": "rollback"}}],
}  # fmt: skip


@pytest.mark.parametrize("case", COMMITS)
def test_a_commit_of_what_was_published_to_a_queue_that_is_gone(session: BrokerSession, case: str) -> None:
    """rules/queues#4.7."""
    steps = [{"publish": {**step["publish"], "channel": "t"}} if "publish" in step else step for step in COMMITS[case]]
    agrees(session, {
        "channels": {"t": {"confirms": False}},
        "exchanges": {"both": "fanout"},
        "queues": {"gone": {}, "rest": {}},
        "bindings": [{"source": "both", "destination": "gone"}, {"source": "both", "destination": "rest"}],
        "steps": [{"tx": {"channel": "t", "do": "select"}}, *steps, {"tx": {"channel": "t", "do": "commit"}}],
    })  # fmt: skip


def test_dead_letters_into_a_stream(session: BrokerSession) -> None:
    """rules/queues#8.7."""
    agrees(session, {
        "exchanges": {"dead": "fanout"},
        "queues": {
            "q": {"arguments": {"x-dead-letter-exchange": "dead", "x-max-length": 1}}, "s": {"type": "stream"}, "rest": {},
        },
        "bindings": [{"source": "dead", "destination": "s"}, {"source": "dead", "destination": "rest"}],
        "consumers": {"reader": {"queue": "s", "prefetch": 9}},
        "steps": [{"publish": {"routing_key": "q", "count": 3}}],
    })  # fmt: skip


def test_a_queue_whose_name_the_broker_draws_is_its_owners_alone(session: BrokerSession) -> None:
    """405, in a text with a name that is another one each time."""
    agrees(session, {
        "channels": {"owner": {"connection": "owner"}, "other": {"connection": "other"}},
        "queues": {"mine": {"server_named": True, "exclusive": True, "channel": "owner"}},
        "steps": [{"get": {"queue": "mine", "channel": "other"}}],
    })  # fmt: skip


def test_6_1_what_is_kept_aside_counts_by_its_bytes(session: BrokerSession) -> None:
    """rules/queues#6.1: at-least-once dead letters that no queue takes, and from 4.3 delayed retries."""
    full = {"x-overflow": "reject-publish", "x-max-length-bytes": 150}
    kinds = {
        "kept": {**full, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "none", "x-dead-letter-strategy": "at-least-once"},
        "later": {**full, "x-delayed-retry-type": "all", "x-delayed-retry-min": 60_000},
    }  # fmt: skip
    steps: list[dict[str, object]] = []
    for name in kinds:
        steps += [
            {"publish": {"routing_key": name, "body": "x" * 100}}, {"get": {"queue": name, "channel": name}},
            {"reject": {"channel": name, "delivery_tag": 1, "requeue": name == "later"}}, {"wait": "200ms"},
            {"publish": {"routing_key": name, "body": "x" * 100, "count": 2}},
        ]  # fmt: skip
    queues = {name: {"type": "quorum", "arguments": arguments} for name, arguments in kinds.items()}
    agrees(session, {"queues": queues, "steps": steps, "until": "steps"})


def test_what_placeholders_make_too_long_is_not_published_there_either(session: BrokerSession) -> None:
    """255 bytes are what a short string holds."""
    agrees(session, {
        "exchanges": {"t": "topic"},
        "queues": {"q": {}},
        "bindings": [{"source": "t", "destination": "q", "routing_key": "#"}],
        "consumers": {"c": {"queue": "q", "on_message": [
            {"round": "<= 3", "publish": [{"exchange": "t", "routing_key": "$routing_key.$routing_key", "correlation_id": "$body"}]},
            {"do": "ack"},
        ]}},
        "steps": [{"publish": {"exchange": "t", "routing_key": "k" * 100}}, {"publish": {"exchange": "t", "body": "b" * 256}}],
    })  # fmt: skip
