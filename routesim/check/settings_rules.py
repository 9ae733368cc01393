"""Arguments that mean nothing, plugins that are needed, and exchanges that delay."""

from collections.abc import Iterator

from routesim.check.celery_rules import DELAYING
from routesim.check.finding import Problem
from routesim.check.topology_rules import CheckedTopology
from routesim.diagnostics import did_you_mean
from routesim.queues.declaring import taken_by
from routesim.values import plain

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
            if taken_by(argument, queue.kind, broker.rules) is None:
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
