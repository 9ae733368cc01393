"""Consumers as the scenario declares them; a file without consumers says nothing about any."""

from collections.abc import Iterator
from typing import Any

from routesim.broker.routing import route
from routesim.check.finding import Problem
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import dead_letter_exchange
from routesim.content import Content
from routesim.model import Consumer
from routesim.scenario import Do
from routesim.steps import Bind, Get


def no_consumer(topology: CheckedTopology) -> Iterator[Problem]:
    """Queues to which messages come by themselves, neither parked nor waiting, from which nobody takes them."""
    scenario = topology.scenario
    if not scenario.consumers:
        return
    served = {item.queue for item in scenario.consumers.values()}
    for item in scenario.steps:
        if isinstance(item.action, Do):
            served |= {each.queue for each in item.action.steps if isinstance(each, Get)}
    caught = {name for name, kinds in topology.fed.items() if kinds & {"alternate", "dead-letter"}}
    for name, queue in topology.broker.queues.items():
        waits = queue.settings.message_ttl is not None and dead_letter_exchange(queue) is not None
        sources = {binding.source for binding in topology.broker.incoming.to("queue", name)}
        if name in served or name in topology.parking or waits or queue.keeps_log or sources & caught:
            continue
        text = f"no consumer takes from queue '{name}', while other queues have one"
        cure = (
            f"start a worker with -Q {name}, or route its tasks to a queue that one consumes"
            if scenario.routed
            else "add a consumer"
        )
        if not scenario.routed and scenario.settings.kind != "redis":  # which has no dead-letter exchanges
            cure += ", or let the messages expire into another queue"
        yield Problem(text, topology.subject("queue", name), (), cure)


def consumer_unreached(topology: CheckedTopology) -> Iterator[Problem]:
    """Consumers of queues that nothing can reach, in a scenario that says who publishes."""
    scenario, broker = topology.scenario, topology.broker
    if scenario.workers or not (topology.publishes or topology.sent_at_work):
        return
    messages = [message for _, message in topology.publishes] + topology.sent_at_work
    said = {message.routing_key for message in messages if message.exchange == ""}
    dying = [queue.settings for queue in broker.queues.values() if queue.settings.dead_letter_exchange == ""]
    if any(limits.dead_letter_routing_key is None for limits in dying):
        return  # which comes back by the key that it was published with
    said |= {limits.dead_letter_routing_key or "" for limits in dying}
    bound = {step.binding.destination for item in scenario.steps for step in _binds(item.action)}
    for item in scenario.consumers.values():
        queue = broker.queues.get(item.queue)
        if queue is None or queue.owner is not None or item.queue in said or item.queue in bound:
            continue
        if broker.incoming.to("queue", item.queue):
            continue
        text = f"consumer '{item.name}' takes from queue '{item.queue}', to which nothing is bound and nobody publishes"
        yield Problem(text, item.name, (), "bind the queue, publish to it by its name, or take the consumer out")


def _binds(action: Any) -> Iterator[Bind]:
    return (each for each in (action.steps if isinstance(action, Do) else ()) if isinstance(each, Bind))


def _shared(topology: CheckedTopology) -> Iterator[tuple[str, list[Consumer]]]:
    groups: dict[str, list[Consumer]] = {}
    for consumer in topology.scenario.consumers.values():
        groups.setdefault(consumer.queue, []).append(consumer)
    for queue, consumers in groups.items():
        found = topology.broker.queues.get(queue)
        if len(consumers) > 1 and found is not None and not found.keeps_log and not found.settings.single_active_consumer:
            yield queue, consumers


def prefetch_zero(topology: CheckedTopology) -> Iterator[Problem]:
    for queue, consumers in _shared(topology):
        scenario = topology.scenario
        limited = {plan.name for plan in scenario.channels.values() if plan.prefetch}
        limited |= {worker.name for worker in scenario.workers.values() if worker.prefetch}
        greedy = [item for item in consumers if not item.prefetch and not item.auto_ack and item.channel not in limited]
        if greedy:
            text = (
                f"consumer '{greedy[0].name}' has no prefetch limit and shares queue '{queue}' with {len(consumers) - 1} "
                f"other{'s' if len(consumers) > 2 else ''}: it is sent everything that waits, and they starve"
            )
            yield Problem(text, greedy[0].name, (), "set prefetch")


def auto_ack(topology: CheckedTopology) -> Iterator[Problem]:
    for queue, consumers in _shared(topology):
        careless = [item for item in consumers if item.auto_ack]
        if careless:
            text = (
                f"consumer '{careless[0].name}' takes from shared queue '{queue}' with auto_ack: no prefetch limit holds it "
                "back, and what it has not worked on is lost when it crashes"
            )
            yield Problem(text, careless[0].name, (), "acknowledge by hand, with a prefetch limit")


def prefetch_ignored(topology: CheckedTopology) -> Iterator[Problem]:
    """rules/queues#3.4: what is acknowledged as it is sent is never unacknowledged, and so never counts."""
    for item in topology.scenario.consumers.values():
        if item.auto_ack and item.prefetch:
            text = f"consumer '{item.name}' has auto_ack, with which its prefetch of {item.prefetch} means nothing"
            yield Problem(text, item.name, (), "take one of the two out")


def confirms_needed(topology: CheckedTopology) -> Iterator[Problem]:
    """A refusal is told by a confirm, and by nothing else."""
    told: set[str] = set()
    channels = topology.scenario.channels
    for index, message in topology.publishes:
        step = topology.scenario.steps[index].action
        plan = channels.get(getattr(step, "channel", ""))
        if plan is None or plan.confirms or plan.name in told:
            continue
        content = Content(message.exchange, message.routing_key, (message.routing_key,), message.headers, "")
        reached = route(topology.broker, message.exchange, "m1", content).queues
        full = next((queue for queue, _ in reached if queue.settings.overflow.startswith("reject-publish")), None)
        if full is None or (full.settings.max_length is None and full.settings.max_length_bytes is None):
            continue
        told.add(plan.name)
        text = (
            f"queue '{full.name}' rejects what is beyond its limit, and channel '{plan.name}' has no confirms: its "
            "publisher is not told, and the message is lost"
        )
        yield Problem(text, index, (), "publish with confirms")
