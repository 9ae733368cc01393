"""Consumers as the scenario declares them; a file without consumers says nothing about any."""

from collections.abc import Iterator

from routesim.check.finding import Problem
from routesim.check.topology_rules import CheckedTopology, dead_letter_exchange
from routesim.model import Consumer
from routesim.scenario import Do
from routesim.steps import Get


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
        sources = {binding.source for binding in topology.broker.incoming.get(("queue", name), {}).values()}
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
