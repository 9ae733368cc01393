"""Arguments that mean nothing, plugins that are needed, and exchanges that delay."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim.check.finding import Cause, Problem, named
from routesim.check.topology.celery_exchanges import DELAYING
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.diagnostics import did_you_mean
from routesim.queues.declaring import taken_by
from routesim.values import plain
from routesim.versions import Rules

PLUGINS = {
    "x-consistent-hash": "rabbitmq_consistent_hash_exchange",
    "x-modulus-hash": "rabbitmq_sharding",
    "x-random": "rabbitmq_random_exchange",
    "x-recent-history": "rabbitmq_recent_history_exchange",
    "x-federation-upstream": "rabbitmq_federation",
    "x-delayed-message": "rabbitmq_delayed_message_exchange, which is not part of RabbitMQ's distribution",
}
EXCHANGE_ARGUMENTS = {
    "alternate-exchange": None, "x-delayed-type": "x-delayed-message", "hash-header": "x-consistent-hash",
    "hash-property": "x-consistent-hash", "x-recent-history-length": "x-recent-history", "x-recent-history-no-store": None,
    **dict.fromkeys(("x-max-hops", "x-downstream-name", "x-downstream-vhost"), "x-federation-upstream"),
}  # fmt: skip


def meaningless(topology: CheckedTopology) -> Iterator[Problem]:
    broker = topology.broker
    for name, queue in broker.queues.items():
        for argument in queue.arguments:
            if argument not in IGNORED and taken_by(argument, queue.kind, broker.rules) is None:
                text = f"queue '{name}': no queue reads the argument '{argument}'; RabbitMQ stores it, and nothing happens"
                yield Problem(text, topology.subject("queue", name), ("arguments", argument), "mend its name, or take it out")
        limits = queue.settings
        unlimited = limits.max_length is None and limits.max_length_bytes is None
        asked = plain(queue.arguments.get("x-dead-letter-strategy"))
        wanted = asked == "at-least-once" or name in DELAYING  # the strategy asks for x-overflow: reject-publish
        if "x-overflow" in queue.arguments and unlimited and not queue.keeps_log and not wanted:
            text = f"queue '{name}': x-overflow means nothing without a length limit"
            yield Problem(text, topology.subject("queue", name), ("arguments", "x-overflow"), "set x-max-length, or take it out")
        if asked == "at-least-once" and limits.dead_letter_strategy != asked:
            text = (
                f"queue '{name}': at-least-once needs a dead-letter exchange and x-overflow reject-publish; without them "
                "dead letters are sent at most once"
            )
            where = ("arguments", "x-dead-letter-strategy")
            lacks = [] if limits.dead_letter_exchange is not None else ["x-dead-letter-exchange"]
            lacks += [] if limits.overflow == "reject-publish" else ["x-overflow: reject-publish"]
            if not lacks:  # a classic queue
                continue
            yield Problem(text, topology.subject("queue", name), where, f"set {' and '.join(lacks)}")
    for name, state in topology.exchanges():
        for argument in state.declared.arguments:
            only = EXCHANGE_ARGUMENTS.get(argument, "")
            if only is None or only == state.declared.type:
                continue
            text = f"exchange '{name}': an exchange of type {state.declared.type} does not read the argument '{argument}'"
            cure = did_you_mean(argument.removeprefix("x-"), EXCHANGE_ARGUMENTS) or "take it out"
            yield Problem(text, topology.subject("exchange", name), ("arguments", argument), cure)


# Settings that a version of RabbitMQ takes and does nothing with: since when, and why.
IGNORED = {
    "x-queue-mode": ("3.12.0", "lazy", "every classic queue is as lazy queues were, from 3.12 on"),
    "x-queue-master-locator": ("4.0.0", None, "there are no mirrors from 4.0 on; x-queue-leader-locator is its name now"),
    "x-ha-policy": ("", None, "mirrors have been a matter of policies since RabbitMQ 3.0, and are gone from 4.0 on"),
}


def ignored_settings(topology: CheckedTopology) -> Iterator[Problem]:
    broker = topology.broker
    for name, queue in broker.queues.items():
        for argument in queue.arguments:
            why = _ignored(argument, queue.arguments[argument], broker.rules)
            if why and (argument != "x-ha-policy" or taken_by(argument, queue.kind, broker.rules) is None):

                def text(names: Sequence[str], argument: str = argument, why: str = why) -> str:
                    return f"{named('queue', names)}: RabbitMQ {broker.rules.version} does nothing with {argument}: {why}"

                cause = Cause(argument, name, text)
                yield Problem(
                    text([name]), topology.subject("queue", name), ("arguments", argument), "take it out", None, None, cause
                )
    for policy in broker.policies.values():
        for key in policy.definition:
            why = _ignored(f"x-{key}", policy.definition[key], broker.rules)
            if why:
                problem = f"policy '{policy.name}': RabbitMQ {broker.rules.version} does nothing with {key}: {why}"
                subject = topology.subject("operator" if policy.operator else "policy", policy.name)
                yield Problem(problem, subject, ("definition", key), "take it out")


def _ignored(argument: str, value: Any, rules: Rules) -> str:
    since, only, why = IGNORED.get(argument, ("", "nothing", ""))
    return why if argument in IGNORED and rules.is_at_least(since) and only in (None, plain(value)) else ""


def priorities_expire_late(topology: CheckedTopology) -> Iterator[Problem]:
    """rules/queues#5.6: only the head of a queue expires, and a message that comes to the front by its priority gets no timer."""
    for name, queue in topology.broker.queues.items():
        limits = queue.settings
        if queue.kind != "classic" or not limits.max_priority or limits.message_ttl is None:
            continue
        text = (
            f"queue '{name}' has priorities and a time-to-live: what is due stays behind a message of higher priority that is "
            "not, and is delivered or dead-lettered late"
        )
        inner = ("arguments", "x-max-priority")
        yield Problem(text, topology.subject("queue", name), inner, "use a queue for each priority, or none of the two")


def needs_plugin(topology: CheckedTopology) -> Iterator[Problem]:
    plugins = set()
    for name, state in topology.exchanges():
        kind = state.declared.type
        if kind in PLUGINS and kind not in plugins:
            plugins.add(kind)
            text = f"exchange '{name}' is of type {kind}, which needs the plugin {PLUGINS[kind]}"
            yield Problem(text, topology.subject("exchange", name), (), "without it the broker refuses the declaration")


def delayed(topology: CheckedTopology) -> Iterator[Problem]:
    """While a message waits in a delayed exchange it counts as unroutable (rules/routing#W3)."""
    for name, state in topology.exchanges():
        if state.declared.type != "x-delayed-message":
            continue
        if state.alternate is not None:
            text = (
                f"delayed exchange '{name}' has an alternate exchange, which gets every delayed message at once, before its time"
            )
            yield Problem(text, topology.subject("exchange", name), (), "bind what is to catch the rest with a key of its own")
        for index, message in topology.publishes:
            if message.exchange == name and message.mandatory:
                text = f"a mandatory publish to delayed exchange '{name}' is always returned, although it is delivered later"
                yield Problem(text, index, (), "publish without mandatory")
