"""Which rules that differ between two versions touch an object of a file, whether or not a run would show it."""

from collections.abc import Callable, Iterator
from typing import Any

from routesim.broker import Broker
from routesim.explain.pages.version_table import shown
from routesim.model import PUBLISH_CHANNEL
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.scenario import PublishMany, Scenario
from routesim.steps import SetPolicy
from routesim.values import raw
from routesim.versions import DIFFERENCES, value_in

NEW_POLICY_TARGETS = ("classic_queues", "quorum_queues", "streams")


class TouchingRule(NamedTuple):
    """A row of the table of versions, what holds before and after, and the objects that it is about."""

    name: str
    what: str
    before: str
    after: str
    objects: tuple[str, ...]
    source: str


Looks = Callable[[Scenario, Broker], Iterator[str]]


def touching(scenario: Scenario, broker: Broker, old: str, new: str) -> list[TouchingRule]:
    """`broker`: what the scenario declares, under the old version. A rule that no single object shows is not among them."""
    found = []
    for name, looks in TOUCHES.items():
        difference = DIFFERENCES[name]
        before, after = value_in(difference, old), value_in(difference, new)
        if before != after:
            objects = tuple(dict.fromkeys(looks(scenario, broker)))
            if objects:
                found.append(TouchingRule(name, difference.what, shown(before), shown(after), objects, difference.source))
    return found


def _queues(fits: Callable[[QueueType], Any]) -> Looks:
    return lambda scenario, broker: (f"queue {queue.name}" for queue in broker.queues.values() if fits(queue))


def _kind(kind: str, fits: Callable[[QueueType], Any] = lambda queue: True) -> Looks:
    return _queues(lambda queue: queue.kind == kind and fits(queue))


def _argument(name: str) -> Looks:
    return _queues(lambda queue: name in queue.arguments)


def _exchanges(*kinds: str, fits: Callable[[Any], Any] = lambda state: True) -> Looks:
    return lambda scenario, broker: (
        f"exchange {name}"
        for name, state in broker.exchanges.items()
        if name and state.declared.type in kinds and (state.bindings or not name.startswith("amq.")) and fits(state)
    )


def _policies(fits: Callable[[Any], Any]) -> Looks:
    def look(scenario: Scenario, broker: Broker) -> Iterator[str]:
        for declaration in scenario.declarations:
            if isinstance(declaration.step, SetPolicy) and fits(declaration.step.policy):
                yield f"policy {declaration.step.policy.name}"

    return look


def _messages(fits: Callable[[Any], Any]) -> Looks:
    def look(scenario: Scenario, broker: Broker) -> Iterator[str]:
        for step in scenario.steps:
            if isinstance(step.action, PublishMany) and fits(step.action.message):
                yield f"message {step.action.id(0)}"

    return look


def _bindings(kind: str, fits: Callable[[Any], Any]) -> Looks:
    def look(scenario: Scenario, broker: Broker) -> Iterator[str]:
        for name, state in broker.exchanges.items():
            for binding in state.bindings.values() if state.declared.type == kind else ():
                if fits(binding):
                    yield f"binding {name} → {binding.destination}"

    return look


def _both(*looks: Looks) -> Looks:
    return lambda scenario, broker: (item for look in looks for item in look(scenario, broker))


def _unlimited(queue: QueueType) -> bool:
    """Whether nobody has set a delivery limit."""
    limit = queue.settings.delivery_limit
    return "x-delivery-limit" not in queue.arguments and limit in (None, queue.rules.quorum_default_limit)


def _dead_letters(queue: QueueType) -> bool:
    return queue.settings.dead_letter_exchange is not None


def _negative(value: Any) -> bool:
    inner = raw(value)
    return isinstance(inner, int) and inner < 0


def _weight(binding: Any) -> int:
    return int(binding.routing_key) if binding.routing_key.isdecimal() else 0


TOUCHES: dict[str, Looks] = {
    "headers_strict": _exchanges("headers", fits=lambda state: state.bindings),
    "delivery_mode_checked": _messages(lambda message: message.delivery_mode not in (1, 2, None)),
    "dead_letter_key_removes_cc": _queues(lambda queue: queue.settings.dead_letter_routing_key is not None),
    "deaths_are_annotations": _queues(_dead_letters),
    "client_x_death": _messages(lambda message: "x-death" in (message.headers or {})),
    "message_size_limit": _messages(lambda message: len(message.body) > 16_777_216),
    "topic_hash_words_limit": _bindings("topic", lambda binding: binding.routing_key.split(".").count("#") > 2),
    "topic_empty_keys_shared": _bindings("topic", lambda binding: binding.routing_key == ""),
    "hash_weight_limit": _bindings("x-consistent-hash", lambda binding: _weight(binding) > 10_000),
    "hash_header_typed": _exchanges("x-consistent-hash", fits=lambda state: "hash-header" in state.declared.arguments),
    "modulus_hash_order": _exchanges("x-modulus-hash"),
    "failed_replay_unbinds": _exchanges("x-recent-history"),
    "exchanges_outlive_restarts": _both(
        _exchanges("x-consistent-hash", "x-recent-history"),
        _exchanges("direct", "fanout", "topic", "headers", fits=lambda state: not state.declared.durable),
    ),
    "transient_queues_denied": _queues(lambda queue: not queue.durable and queue.owner is None),
    "global_qos_denied": lambda scenario, broker: (
        f"channel {name}" for name, plan in scenario.channels.items() if plan.prefetch and name != PUBLISH_CHANNEL
    ),
    "master_locator_denied": _both(
        _argument("x-queue-master-locator"), _policies(lambda policy: "queue-master-locator" in policy.definition)
    ),
    "policy_names_queue_types": _policies(lambda policy: policy.apply_to in NEW_POLICY_TARGETS),
    "negative_delivery_limit_policy": _policies(lambda policy: _negative(policy.definition.get("delivery-limit"))),
    "mirroring_keys": _policies(lambda policy: any(key.startswith("ha-") for key in policy.definition)),
    "max_priority_zero_levels": _queues(lambda queue: raw(queue.arguments.get("x-max-priority")) == 0),
    "queue_versions": _argument("x-queue-version"),
    "queue_mode_checked": _argument("x-queue-mode"),
    "cancel_on_ha_failover": lambda scenario, broker: (
        f"consumer {name}" for name, plan in scenario.consumers.items() if "x-cancel-on-ha-failover" in plan.arguments
    ),
    "quorum_default_limit": _kind("quorum", _unlimited),
    "quorum_negative_limit_is_none": _kind("quorum", lambda queue: _negative(queue.arguments.get("x-delivery-limit"))),
    "auto_delete_outlives_restarts": _queues(lambda queue: queue.durable and queue.auto_delete),
    "quorum_nack_counts": _kind("quorum", lambda queue: queue.settings.delivery_limit is not None or _unlimited(queue)),
    "dead_letter_counts": _kind("quorum", _dead_letters),
    "quorum_returns_first": _kind("quorum", _unlimited),
    "quorum_priorities": _kind("quorum"),
    "quorum_single_active": _kind("quorum", lambda queue: queue.settings.single_active_consumer),
    "quorum_drops_reversed": _kind("quorum", lambda queue: queue.settings.max_length is not None and _dead_letters(queue)),
    "quorum_limit_end_unblocks": _kind("quorum", lambda queue: queue.settings.overflow == "reject-publish"),
    "quorum_bytes_with_properties": _kind("quorum", lambda queue: queue.settings.max_length_bytes is not None),
    "quorum_expires_policy_wins": _kind("quorum", lambda queue: "x-expires" in queue.arguments),
    "consumer_timeout_argument": _argument("x-consumer-timeout"),
    "consumer_timeouts_checked": _argument("x-consumer-timeout"),
    "stream_refuses_nack": _kind("stream"),
    "stream_takes_dead_letters": _kind("stream"),
    "stream_keeps_nested": _kind("stream"),
    "celery_limits_channel": lambda scenario, broker: (f"worker {name}" for name in scenario.workers),
}
