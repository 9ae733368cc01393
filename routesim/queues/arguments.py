"""Queue arguments: one row each, and all that is said about them elsewhere follows from it (rules/queues#1.8, rules/queues#1.9,
rules/queues#1.11, rules/queues#1.12).

A new argument is its row here, and what the queue type that acts on it does.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.queues import argument_checks as checks
from routesim.queues import policy_checks as policies
from routesim.queues.argument_checks import ArgumentCheck
from routesim.values import Value, is_integer, wire_type
from routesim.versions import Rules

TYPES = ("classic", "quorum", "stream")
FIRST = ""  # since the first version known here
CLASSIC, QUORUM, STREAM = {"classic": FIRST}, {"quorum": FIRST}, {"stream": FIRST}
SMALLER, LARGER, ARGUMENT, POLICY, OPERATOR = "smaller", "larger", "argument", "policy", "operator"  # whose value counts
SCALES, FIXED = "scales", "fixed"  # a duration that `--speed` makes shorter, and one of which no part of a ms can be had


class PolicyKey(NamedTuple):
    """A key of policies (rules/routing#O3, rules/routing#O9, rules/routing#O10, rules/routing#O11).

    - `since`: the version that came to know it. `exists`: a named difference that decides as well.
    - `operator`: since when operator policies may hold it; None: they may not.
    - `merged`: whose value counts when a policy and an operator policy set it: OPERATOR, the SMALLER or the LARGER.
    - `not_for`: types of queues to which a policy that has it does not apply at all.
    - `means`: what it says something about: queues, exchanges or both.
    - `module`: of RabbitMQ's modules, the one that checks it (`policy_checks.MODULES`).
    """

    check: policies.PolicyCheck
    since: str = FIRST
    exists: Callable[[Rules], bool] | None = None
    operator: str | None = None
    merged: str = OPERATOR
    not_for: tuple[str, ...] = ()
    means: str = "queues"
    module: str = "core"

    def is_known(self, rules: Rules, operator: bool) -> bool:
        """Whether a policy, or an operator policy, may hold it in this version."""
        since = self.operator if operator else self.since
        return since is not None and rules.is_at_least(since) and (self.exists is None or self.exists(rules))


class Setting(NamedTuple):
    """The field of `QueueSettings` that an argument, and the policy key of the same name, set.

    - `reads`: whether an argument's value counts at all. `acts_as`: what a value that counts acts as.
    - `wins`: in a queue of a type, whose value counts when both are given: SMALLER, ARGUMENT or POLICY.
    - `exists`: the named difference without which neither sets it.
    """

    name: str
    reads: Callable[[Value], bool]
    wins: Callable[[str, Rules], str]
    acts_as: Callable[[Any, Rules], Any] = lambda value, rules: value
    exists: Callable[[Rules], bool] = lambda rules: True


class Argument(NamedTuple):
    """One argument of queues.

    - `types`: the types that take it, each with the version since which; a type compares what it has always taken when a queue
      is declared again. `place`: in the order in which quorum queues do; the others do in the order of the rows.
    - `policy`: the key without `x-` in policies; None: they cannot set it.
    - `sets`: what of the queue's settings; None: nothing, or the type reads the argument itself.
    - `duration`: SCALES or FIXED when it is one, in ms.
    - `redis_lacks`: what Redis does not have, when kombu ignores the argument.
    """

    types: Mapping[str, str]
    check: ArgumentCheck
    policy: PolicyKey | None = None
    sets: Setting | None = None
    place: int = 0
    duration: str | None = None
    redis_lacks: str = ""


def number(name: str, wins: Callable[[str, Rules], str] = lambda kind, rules: SMALLER, **more: Any) -> Setting:
    return Setting(name, is_integer, wins, **more)


def text(name: str, wins: Callable[[str, Rules], str] = lambda kind, rules: ARGUMENT) -> Setting:
    return Setting(name, lambda value: wire_type(value) == "longstr", wins)


def given(name: str) -> Setting:
    """What only an argument sets."""
    return Setting(name, lambda value: True, lambda kind, rules: ARGUMENT)


def limit(check: policies.PolicyCheck, *not_for: str) -> PolicyKey:
    """A limit that an operator may make tighter."""
    return PolicyKey(check, operator=FIRST, merged=SMALLER, not_for=not_for)


def retry_key(check: policies.PolicyCheck, merged: str) -> PolicyKey:
    """A key of delayed retries: 4.3.0 knows the arguments alone (`rabbit_quorum_queue`, v4.3.0 and v4.3.1)."""
    return PolicyKey(check, since="4.3.1", operator="4.3.1", merged=merged, module="quorum")


def _expires_wins(kind: str, rules: Rules) -> str:
    return POLICY if kind == "quorum" and rules.quorum_expires_policy_wins else SMALLER


def _overflow_wins(kind: str, rules: Rules) -> str:
    return POLICY if kind == "quorum" else ARGUMENT


def is_limit(value: Value) -> bool:
    """A delivery limit may be a fraction: nothing checks the argument."""
    return is_integer(value) or wire_type(value) in ("float", "double")


def _delivery_limit(value: float, rules: Rules) -> int:
    whole = math.floor(value)
    return whole if rules.quorum_negative_limit_is_none else max(whole, 0)


DEAD_LETTERS, LENGTHS = "dead-letter exchanges", "limit of a queue's length"
STRATEGIES = ("at-most-once", "at-least-once")
OVERFLOWS = ("drop-head", "reject-publish", "reject-publish-dlx")
RETRY_TYPE = f"delayed retry type. Must be one of: {', '.join(policies.RETRY_TYPES)}"
RETRY_DELAY = "delayed retry {} delay. Must be a positive integer"

# In the order in which RabbitMQ checks them.
ARGUMENTS: dict[str, Argument] = {
    "x-expires": Argument(
        CLASSIC | QUORUM, checks.expires, limit(policies.number("queue expiry", 1), "stream"),
        number("expires", _expires_wins), place=4, duration=SCALES,
    ),
    "x-message-ttl": Argument(
        CLASSIC | QUORUM, checks.message_ttl, limit(policies.number("message TTL", 0), "stream"),
        number("message_ttl"), place=14, duration=SCALES, redis_lacks="message TTL",
    ),
    "x-dead-letter-exchange": Argument(
        CLASSIC | QUORUM, checks.text, PolicyKey(policies.text("dead letter exchange name"), not_for=("stream",)),
        text("dead_letter_exchange"), place=1, redis_lacks=DEAD_LETTERS,
    ),
    "x-dead-letter-routing-key": Argument(
        CLASSIC | QUORUM, checks.dead_letter_routing_key,
        PolicyKey(policies.text("dead letter routing key"), not_for=("stream",)),
        text("dead_letter_routing_key"), place=2, redis_lacks=DEAD_LETTERS,
    ),
    "x-dead-letter-strategy": Argument(
        QUORUM, checks.one_of("invalid_dlx_strategy", *STRATEGIES),
        PolicyKey(policies.choice("dead letter strategy", *STRATEGIES), not_for=("classic", "stream")),
        text("dead_letter_strategy"), place=3, redis_lacks=DEAD_LETTERS,
    ),
    "x-max-length": Argument(
        CLASSIC | QUORUM, checks.non_negative, limit(policies.number("maximum length", 0), "stream"),
        number("max_length"), place=5, redis_lacks=LENGTHS,
    ),
    "x-max-length-bytes": Argument(
        CLASSIC | QUORUM | STREAM, checks.non_negative, limit(policies.number("maximum length in bytes", 0)),
        number("max_length_bytes"), place=6, redis_lacks=LENGTHS,
    ),
    "x-max-in-memory-length": Argument(
        QUORUM, checks.non_negative, limit(policies.number("maximum memory in bytes", 0), "stream"), place=7,
    ),
    "x-max-in-memory-bytes": Argument(
        QUORUM, checks.non_negative, limit(policies.number("maximum memory in bytes", 0), "stream"), place=8,
    ),
    "x-max-priority": Argument(CLASSIC, checks.max_priority, sets=given("max_priority")),
    "x-overflow": Argument(
        CLASSIC | QUORUM, checks.one_of("invalid_overflow", *OVERFLOWS),
        PolicyKey(policies.choice("overflow value", *OVERFLOWS), operator="3.12.7", not_for=("stream",)),
        text("overflow", _overflow_wins), place=9, redis_lacks=LENGTHS,
    ),
    "x-queue-mode": Argument(
        CLASSIC, checks.queue_mode,
        PolicyKey(policies.choice("queue-mode value", "default", "lazy"), not_for=("quorum", "stream")),
    ),
    "x-queue-version": Argument(
        CLASSIC, checks.queue_version, PolicyKey(policies.choice("queue-version value", 1, 2), operator="3.11.24"),
    ),
    "x-single-active-consumer": Argument(
        CLASSIC | QUORUM, checks.boolean, sets=given("single_active_consumer"), place=10, redis_lacks="single active consumers",
    ),
    "x-queue-type": Argument(CLASSIC | QUORUM | STREAM, checks.anything, place=11, redis_lacks="queue types"),
    "x-consumer-timeout": Argument(
        {"quorum": "4.3.2"}, checks.non_negative, PolicyKey(policies.number("consumer timeout", 0), since="3.12.0"),
        number("consumer_timeout", exists=lambda rules: rules.consumer_timeout_argument), duration=FIXED,
    ),
    "x-consumer-disconnected-timeout": Argument(
        {"quorum": "4.3.0"}, checks.consumer_timeout,
        PolicyKey(policies.number("consumer disconnected timeout", 0), since="4.3.0"),
    ),
    "x-delayed-retry-type": Argument(
        {"quorum": "4.3.0"}, checks.anything,
        retry_key(policies.choice(RETRY_TYPE, *policies.RETRY_TYPES), OPERATOR),
        text("delayed_retry_type", lambda kind, rules: POLICY),
    ),
    "x-delayed-retry-min": Argument(
        {"quorum": "4.3.0"}, checks.anything, retry_key(policies.number(RETRY_DELAY.format("minimum"), 1), LARGER),
        number("delayed_retry_min"), duration=FIXED,
    ),
    "x-delayed-retry-max": Argument(
        {"quorum": "4.3.0"}, checks.anything, retry_key(policies.number(RETRY_DELAY.format("maximum"), 1), SMALLER),
        number("delayed_retry_max"), duration=FIXED,
    ),
    "x-quorum-initial-group-size": Argument(QUORUM, checks.at_least_one, place=12),
    "x-max-age": Argument(
        STREAM, checks.max_age, PolicyKey(policies.max_age, not_for=("classic", "quorum")), duration=FIXED,
    ),
    "x-stream-max-segment-size-bytes": Argument(
        STREAM, checks.non_negative,
        PolicyKey(policies.number("segment size", 0, policies.MAX_SEGMENT_SIZE), not_for=("classic", "quorum")),
    ),
    "x-stream-filter-size-bytes": Argument(
        {"stream": "3.13.0"}, checks.non_negative,
        PolicyKey(policies.number("filter size. Valid range is 16-255", 16, 255), since="3.13.0"),
    ),
    "x-initial-cluster-size": Argument(
        STREAM, checks.at_least_one, PolicyKey(policies.number("cluster size", 0), not_for=("classic", "quorum")),
    ),
    "x-queue-leader-locator": Argument(
        QUORUM | STREAM | {"classic": "4.0.0"}, checks.one_of("invalid_queue_locator_arg", *policies.LEADER_LOCATORS),
        PolicyKey(policies.choice("queue leader locator value", *policies.LEADER_LOCATORS), not_for=("classic",)), place=15,
    ),
    "x-queue-master-locator": Argument(
        CLASSIC, checks.anything,
        PolicyKey(policies.master_locator, operator="4.0.0", not_for=("quorum", "stream"), module="locator"),
    ),
    "x-delivery-limit": Argument(
        QUORUM, checks.anything, limit(policies.delivery_limit, "classic", "stream"),
        Setting("delivery_limit", is_limit, lambda kind, rules: SMALLER, _delivery_limit), place=13,
        redis_lacks="delivery limits",
    ),
}  # fmt: skip

# What a queue declared again is compared in, by type (rules/queues#1.8).
COMPARED: dict[str, tuple[str, ...]] = {
    kind: tuple(sorted(
        (name for name, row in ARGUMENTS.items() if row.types.get(kind) == FIRST),
        key=lambda name: ARGUMENTS[name].place if kind == "quorum" else 0,
    ))
    for kind in TYPES
}  # fmt: skip
