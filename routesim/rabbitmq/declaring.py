"""Declaring, binding, deleting and policies on a real broker: by AMQP, policies by the management API."""

from routesim import events, steps
from routesim.broker.topology import with_default_type
from routesim.rabbitmq.observed import ObservedQueue
from routesim.rabbitmq.real_state import RealState


def declare_exchange(broker: RealState, step: steps.DeclareExchange) -> None:
    item = step.exchange
    broker.call(
        broker.channel(step.channel), "exchange_declare", item.name, item.type, durable=item.durable,
        auto_delete=item.auto_delete, internal=item.internal, arguments=item.arguments,
    )  # fmt: skip
    broker.emit(events.ExchangeDeclared(broker.now, item.name, item.type))


def declare_queue(broker: RealState, step: steps.DeclareQueue) -> None:
    item = broker.pace.queue(step.queue)
    known = broker.queues.get(item.name)
    wire_name = "" if item.server_named and known is None else known.broker_name if known else item.name
    channel = broker.channel(step.channel)
    answer = broker.call(
        channel, "queue_declare", wire_name, durable=item.durable, exclusive=item.exclusive, auto_delete=item.auto_delete,
        arguments=item.arguments,
    )  # fmt: skip
    owner = channel.connection if item.exclusive else None
    if known is None:
        known = broker.queues[item.name] = ObservedQueue(
            item.name,
            answer.method.queue,
            with_default_type(broker.default_queue_type, item),
            owner=owner,
            auto_delete=item.auto_delete,
            durable=item.durable,
        )
    broker.emit(events.QueueDeclared(broker.now, item.name, known.kind, known.broker_name))


def ask_exchange(broker: RealState, step: steps.AskExchange) -> None:
    broker.call(broker.channel(step.channel), "exchange_declare", step.exchange, passive=True)


def ask_queue(broker: RealState, step: steps.AskQueue) -> None:
    broker.call(broker.channel(step.channel), "queue_declare", _wire_name(broker, step.queue), passive=True)


def bind(broker: RealState, step: steps.Bind | steps.Unbind) -> None:
    item, channel = step.binding, broker.channel(step.channel)
    verb = "bind" if isinstance(step, steps.Bind) else "unbind"
    target = _wire_name(broker, item.destination) if item.destination_type == "queue" else item.destination
    if item.destination_type == "queue":
        named = {"queue": target, "exchange": item.source}
    else:
        named = {"destination": target, "source": item.source}
    broker.call(channel, f"{item.destination_type}_{verb}", **named, routing_key=item.routing_key, arguments=item.arguments)
    broker.emit(events.Bound(broker.now, item) if isinstance(step, steps.Bind) else events.Unbound(broker.now, item, "unbound"))


def _wire_name(broker: RealState, queue: str) -> str:
    known = broker.queues.get(queue)
    return known.broker_name if known else queue


def delete_exchange(broker: RealState, step: steps.DeleteExchange) -> None:
    broker.call(broker.channel(step.channel), "exchange_delete", step.exchange, if_unused=step.if_unused)
    broker.emit(events.ExchangeDeleted(broker.now, step.exchange, "deleted"))


def delete_queue(broker: RealState, step: steps.DeleteQueue) -> None:
    answer = broker.call(
        broker.channel(step.channel), "queue_delete", _wire_name(broker, step.queue), if_unused=step.if_unused,
        if_empty=step.if_empty,
    )  # fmt: skip
    if broker.queues.pop(step.queue, None) is not None:
        broker.emit(events.QueueDeleted(broker.now, step.queue, "deleted", answer.method.message_count))


def purge(broker: RealState, step: steps.Purge) -> None:
    answer = broker.call(broker.channel(step.channel), "queue_purge", _wire_name(broker, step.queue))
    broker.emit(events.QueuePurged(broker.now, step.queue, answer.method.message_count))


def set_policy(broker: RealState, step: steps.SetPolicy) -> None:
    broker.management.set_policy(broker.vhost, broker.pace.policy(step.policy))
    broker.emit(events.PolicySet(broker.now, step.policy.name, step.policy.operator))


def delete_policy(broker: RealState, step: steps.DeletePolicy) -> None:
    broker.management.delete_policy(broker.vhost, step.name, operator=step.operator)
    broker.emit(events.PolicyDeleted(broker.now, step.name, step.operator))
