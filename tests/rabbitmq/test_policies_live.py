"""rules/routing#O10 to rules/routing#O12 beside a real broker: every key of policies with values fine and bad, and what must hold
across keys: taken or refused, and in which words."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from kits.live import agreed

from routesim.broker.policies import POLICY_KEYS, validate
from routesim.model import Policy
from routesim.rabbitmq.http.management import ManagementError
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.replies import AmqpError
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario.yaml.writing import text
from routesim.versions import rules

# federation-* need a plugin that the brokers do not have.
KEYS = [*(key for key in POLICY_KEYS if not key.startswith("federation")), "no-such-key", "max-priority", "queue-type"]
ANY: list[Any] = ["x", "", 0, 1, -1, 2, 1.5, True, None, [], [1], {"a": 1}, 'a"b', 16, 256]
OWN: dict[str, list[Any]] = {
    "max-age": [
        "1h",
        "1Y",
        "1M",
        "1D",
        "1m",
        "1s",
        "1",
        "1x",
        "0h",
        "1.5h",
        "h",
        "-1h",
        "01h",
        "1h ",
        " 1h",
        "1hh",
        "1S",
        "1h\n",
    ],
    "overflow": ["drop-head", "reject-publish", "reject-publish-dlx"],
    "queue-mode": ["default", "lazy"],
    "queue-leader-locator": ["client-local", "balanced", "random", "least-leaders", "min-masters"],
    "queue-master-locator": ["client-local", "balanced", "random", "least-leaders", "min-masters"],
    "dead-letter-strategy": ["at-most-once", "at-least-once"],
    "delayed-retry-type": ["all", "failed", "returned", "disabled"],
    "ha-mode": ["all", "exactly", "nodes"],
    "stream-max-segment-size-bytes": [3_000_000_000, 3_000_000_001],
    "stream-filter-size-bytes": [15, 255],
}
TOGETHER: list[dict[str, Any]] = [
    *({"delayed-retry-type": kind, "delayed-retry-min": low} for kind in ("all", "disabled") for low in (0, 1)),
    *({"delayed-retry-type": "all", "delayed-retry-min": 5, "delayed-retry-max": high} for high in (0, 4, 5, "x")),
    {"delayed-retry-min": 5, "delayed-retry-max": 4},
    {"delayed-retry-type": "nope", "delayed-retry-min": 5, "delayed-retry-max": 4},
    {"ha-mode": "exactly", "ha-params": 0},
    {"ha-mode": "exactly", "ha-params": 2},
    {"ha-mode": "nodes", "ha-params": []},
    {"ha-mode": "nodes", "ha-params": [1]},
    {"ha-mode": "all", "ha-params": 2},
    {"ha-mode": "all", "ha-sync-mode": "nope"},
    {"ha-mode": "all", "ha-sync-batch-size": 0},
    {"ha-mode": "all", "ha-promote-on-shutdown": "nope"},
    {"ha-mode": "all", "ha-promote-on-failure": "nope"},
    {"ha-mode": "nope", "max-length": -1},
    {"ha-mode": "nope", "queue-master-locator": "nope"},
    {"target-group-size": 0, "max-length": -1},
    {"delayed-retry-min": 0, "target-group-size": 0},
    {"message-ttl": -1, "expires": 0},
    {"b": 2, "a": "x", "max-length": 1},
    {"a": 1, "max-length": -1},
    {},
]
# Some versions crash over them, and answer nothing until the client gives up.
UNANSWERED: dict[str, tuple[type, ...]] = {"queue-master-locator": (float, dict)}
CASES: list[dict[str, Any]] = [
    *({key: value} for key in KEYS for value in (*ANY, *OWN.get(key, [])) if not isinstance(value, UNANSWERED.get(key, ()))),
    *TOGETHER,
]


def simulated(version: str, policy: Policy) -> str | None:
    try:
        validate(policy, rules(version))
    except AmqpError as error:
        return error.text.removeprefix("BAD_REQUEST - ")
    return None


def answered(session: BrokerSession, vhost: str, policy: Policy) -> str | None:
    kind = "operator-policies" if policy.operator else "policies"
    body = {"pattern": policy.pattern, "definition": policy.definition, "apply-to": policy.apply_to, "priority": 0}
    try:
        session.management.call("PUT", f"{kind}/{quote(vhost, safe='')}/p", body)
    except ManagementError as error:
        # Where the check itself crashes the broker has no words.
        return error.text if error.status == 400 else ""
    return None


def unlike(session: BrokerSession, vhost: str, policy: Policy) -> str | None:
    ours, theirs = simulated(session.version, policy), answered(session, vhost, policy)
    same_words = not theirs or ours == theirs
    if (ours is None) == (theirs is None) and same_words:
        return None
    return f"{json.dumps(policy.definition)} apply-to {policy.apply_to}: RabbitMQ {theirs!r}, here {ours!r}"


@pytest.mark.parametrize("operator", [False, True], ids=["policy", "operator-policy"])
def test_o10_a_real_broker_takes_and_refuses_the_same_policies(session: BrokerSession, operator: bool) -> None:
    """rules/routing#O10, rules/routing#O11, rules/routing#O12."""
    policies = [Policy("p", "^none$", definition, operator=operator) for definition in CASES]
    targets = ("queues", "exchanges", "all", "classic_queues", "quorum_queues", "streams", "bogus", "")
    policies += [Policy("p", "^none$", {"max-length": 1}, target, operator=operator) for target in targets]
    with scratch_vhost(session.management) as vhost:
        assert list(filter(None, (unlike(session, vhost, policy) for policy in policies))) == []


def test_o12_a_refused_policy_is_no_difference(session: BrokerSession) -> None:
    """rules/routing#O12: `verify` compares what people are told, however the API writes it, and where it has no words for it."""
    definitions = [
        {"overflow": "drop-tail"}, {"max-age": "h"}, {"max-age": "1x"}, {"message-ttl": "5"}, {"queue-mode": 'a"b&c'},
        {"b": 2, "a": "x", "max-length": 1}, {"delayed-retry-type": "all"}, {"max-length": -1},
    ]  # fmt: skip
    refused = [{"name": "p", "pattern": "^q$", "definition": definition} for definition in definitions]
    refused.append({"name": "p", "pattern": "(", "definition": {"max-length": 1}})
    steps = [{"declare": {kind: [policy]}} for policy in refused for kind in ("policies", "operator_policies")]
    verdict = agreed(session, text({"queues": {"q": {}}, "steps": steps}))
    assert verdict.difference is None
