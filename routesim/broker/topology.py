"""Declaring, binding and deleting, with RabbitMQ's checks in RabbitMQ's order (rules/routing#1.7 to rules/routing#1.9,
rules/queues#1)."""

from collections.abc import Sequence

from routesim import events, steps
from routesim.broker import publishing
from routesim.broker.policies import apply_to_exchange, apply_to_queue
from routesim.broker.records import BindingKey, ConsumerEnded, ExchangeState, NotPossible, QueueAnswer, binding_key
from routesim.broker.state import State
from routesim.durations import duration_text
from routesim.exchanges import EXCHANGE_TYPES, exchange_types
from routesim.model import DEFAULT_EXCHANGE, REPLY_TO, Binding, Exchange, Queue
from routesim.queues import QUEUE_TYPES, Channel, Copy, QueueType, Subscription
from routesim.queues.arguments import COMPARED
from routesim.queues.declaring import assert_equivalent, queue_type, validate
from routesim.replies import AmqpError
from routesim.values import NO_ARGUMENTS, Table, raw, wire_type


def stripped(name: str) -> str:
    """CR and LF are taken out of names in everything but a publish (rules/routing#S27)."""
    return name.replace("\r", "").replace("\n", "") if "\r" in name or "\n" in name else name


def named(channel: Channel[QueueType], queue: str) -> str:
    """An empty name is the queue last declared on the channel. Raises `AmqpError` (404)."""
    if queue:
        return queue
    if channel.last_queue is None:
        raise AmqpError(404, "no previously declared queue")
    return channel.last_queue


def answer_of(broker: State, queue: QueueType) -> QueueAnswer:
    """What a declare is answered (rules/queues#1.17)."""
    consumers = queue.consumer_count()
    if queue.counts_holders and queue.unacked:
        consumers += len(
            {
                (channel.name, item.tag if item.subscription is None else item.subscription.tag)
                for channel in broker.channels.values()
                for item in channel.outstanding()
                if item.queue is queue and (item.subscription is None or item.subscription.cancelled)
            }
        )
    return QueueAnswer(queue.broker_name, queue.ready_count(), consumers)


def not_default_exchange(name: str) -> None:
    if name == DEFAULT_EXCHANGE:
        raise AmqpError(403, "operation not permitted on the default exchange")


# Exchanges ---------------------------------------------------------------------------------------------------------


def declare_exchange(broker: State, step: steps.DeclareExchange) -> None:
    declared = step.exchange._replace(name=stripped(step.exchange.name))
    types = exchange_types(broker.rules)
    if declared.type not in types:
        code = 503 if broker.rules.unknown_exchange_type_closes == "connection" else 406
        raise AmqpError(code, f"unknown exchange type '{declared.type}'", argument="type")
    not_default_exchange(declared.name)
    where = f"exchange '{declared.name}' in vhost '{broker.vhost}'"
    existing = broker.exchanges.get(declared.name)
    if existing is not None:
        _assert_same_exchange(existing.declared, declared, where)
        return
    if declared.name.startswith("amq."):
        raise AmqpError(403, f"exchange name '{declared.name}' contains reserved prefix 'amq.*'", argument="name")
    if wire_type(declared.arguments.get("alternate-exchange", "")) != "longstr":
        kind = wire_type(declared.arguments["alternate-exchange"])
        raise AmqpError(406, f"invalid type '{kind}' for arg 'alternate-exchange' in {where}", argument="alternate-exchange")
    EXCHANGE_TYPES[declared.type].validate(declared, broker.rules)
    state = broker.exchanges[declared.name] = ExchangeState(declared, broker.rules)
    apply_to_exchange(broker, state)
    broker.routes.clear()
    if broker.listen:
        broker.listen(events.ExchangeDeclared(broker.now, declared.name, declared.type))


def ask_exchange(broker: State, step: steps.AskExchange) -> None:
    name = stripped(step.exchange)
    broker.channel(step.channel)
    not_default_exchange(name)
    broker.exchange(name)


def _assert_same_exchange(current: Exchange, received: Exchange, where: str) -> None:
    for field in ("type", "durable", "auto_delete", "internal"):
        _assert_same(field, getattr(current, field), getattr(received, field), where)
    assert_equivalent("alternate-exchange", current.arguments, received.arguments, where)


def _assert_same(field: str, current: object, received: object, where: str) -> None:
    if current != received:
        old, new = (str(value).lower() if isinstance(value, bool) else value for value in (current, received))
        raise AmqpError(406, f"inequivalent arg '{field}' for {where}: received '{new}' but current is '{old}'", argument=field)


def delete_exchange(broker: State, step: steps.DeleteExchange) -> None:
    name = stripped(step.exchange)
    not_default_exchange(name)
    if name.startswith("amq."):
        raise AmqpError(403, f"deletion of system exchange '{name}' in vhost '{broker.vhost}' not allowed")
    state = broker.exchanges.get(name)
    if state is None:
        return
    if step.if_unused and state.bindings:
        raise AmqpError(406, f"exchange '{name}' in vhost '{broker.vhost}' in use")
    remove_exchange(broker, name, "deleted")


def remove_exchange(broker: State, name: str, why: str, *, cascade: bool = True) -> None:
    """With its bindings, and upstream every auto-delete exchange that loses its last one (rules/routing#K2, rules/routing#K3).

    `cascade` False, at a restart: upstream exchanges stay (rules/routing#C8).
    """
    todo = [(name, why)]
    while todo:
        current, reason = todo.pop()
        state = broker.exchanges.pop(current, None)
        if state is None:
            continue
        if broker.listen:
            broker.listen(events.ExchangeDeleted(broker.now, current, reason))
        for binding in state.bindings.values():
            broker.unshared_incoming().remove(binding)
            _tell_unbound(broker, binding, f"exchange '{current}' is gone")
        emptied = _unbind_all_from(broker, "exchange", current)
        if cascade:
            todo.extend((source, "auto-delete: its last binding is gone") for source in emptied)
    broker.routes.clear()


def _unbind_all_from(broker: State, kind: str, name: str) -> list[str]:
    """Removes the bindings that lead to a destination; returns the auto-delete exchanges that have none left."""
    emptied = []
    for binding in broker.unshared_incoming().pop(kind, name):
        source, key = binding.source, binding_key(binding)
        state = broker.exchanges.get(source)
        if state is None or key not in state.bindings:
            continue
        state.unshare()
        del state.bindings[key]
        state.matcher.remove(binding)
        _tell_unbound(broker, binding, f"{kind} '{name}' is gone")
        if state.declared.auto_delete and not state.bindings:
            emptied.append(source)
    broker.routes.clear()
    return emptied


def _tell_unbound(broker: State, binding: Binding, why: str) -> None:
    if broker.listen:
        broker.listen(events.Unbound(broker.now, binding, why))


# Bindings ----------------------------------------------------------------------------------------------------------


def _stripped_binding(binding: Binding) -> Binding:
    names = binding.source + binding.destination
    if "\r" not in names and "\n" not in names:
        return binding
    return binding._replace(source=stripped(binding.source), destination=stripped(binding.destination))


def _not_a_reply_address(broker: State, binding: Binding) -> None:
    if (
        broker.rules.reply_queue_bind_refused
        and binding.destination_type == "queue"
        and binding.destination.startswith(f"{REPLY_TO}.")
    ):
        raise AmqpError(403, "cannot bind or unbind to a volatile (direct reply-to) queue")


def _whole_binding(broker: State, channel: str, binding: Binding) -> Binding:
    """With the names for which an empty one stands: a queue's, and then an empty routing key's as well."""
    if binding.destination_type == "queue" and not binding.destination:
        name = named(broker.channel(channel), "")
        binding = binding._replace(destination=name, routing_key=binding.routing_key or name)
    return _stripped_binding(binding)


def bind(broker: State, step: steps.Bind) -> None:
    """There may be a million, and one queue of many is slow to look at: that is done only where some queue is exclusive."""
    binding = step.binding
    source, destination, kind, _, arguments = binding
    state = broker.exchanges.get(source) if source else None
    queue = broker.queues.get(destination) if kind == "queue" else None
    if state is None or queue is None:  # nothing that is there needs to be looked at by its name
        binding, state, queue = _ends(broker, step)
    matcher = state.matcher
    matcher.validate_binding(binding, None if queue is None else type(queue).kind)
    if queue is not None:
        channel = broker.channels.get(step.channel) or broker.channel(step.channel)
        if broker.owners and queue.owner is not None:
            broker.accessible(queue, channel.connection)
    key = binding if arguments is NO_ARGUMENTS else binding_key(binding)
    if key in state.bindings:
        return
    if state.shared:
        state.unshare()
        matcher = state.matcher
    state.bindings[key] = binding
    matcher.add(binding)
    incoming = broker.unshared_incoming() if broker.incoming_shared else broker.incoming
    incoming.add(binding)
    if broker.routes.young:
        broker.routes.clear()
    if broker.listen:
        broker.listen(events.Bound(broker.now, binding))
    if matcher.remembers:
        try:
            publishing.replay(broker, matcher.recent, binding)
        except AmqpError:
            if broker.rules.failed_replay_unbinds:
                _take_out(broker, state, key, "what its exchange remembers reached no queue")
            raise


def _ends(broker: State, step: steps.Bind) -> tuple[Binding, ExchangeState, QueueType | None]:
    """A binding as it is made, where it begins, and the queue that it leads to, if any. Raises `AmqpError`."""
    binding = _whole_binding(broker, step.channel, step.binding)
    _not_a_reply_address(broker, binding)
    not_default_exchange(binding.source)
    if binding.destination_type == "queue":
        return binding, broker.exchange(binding.source), broker.queue(binding.destination)
    not_default_exchange(binding.destination)
    state = broker.exchange(binding.source)
    broker.exchange(binding.destination)
    return binding, state, None


def unbind(broker: State, step: steps.Unbind) -> None:
    """Never fails for what does not exist (rules/routing#S8)."""
    binding = _whole_binding(broker, step.channel, step.binding)
    _not_a_reply_address(broker, binding)
    not_default_exchange(binding.source)
    if binding.destination_type == "exchange":
        not_default_exchange(binding.destination)
    state = broker.exchanges.get(binding.source)
    key = binding_key(binding)
    if state is None or key not in state.bindings:
        return
    if binding.destination_type == "queue":
        broker.accessible(broker.queue(binding.destination), broker.channel(step.channel).connection)
    _take_out(broker, state, key, "unbound")
    if state.declared.auto_delete and not state.bindings:
        remove_exchange(broker, binding.source, "auto-delete: its last binding is gone")


def _take_out(broker: State, state: ExchangeState, key: BindingKey, why: str) -> None:
    state.unshare()
    bound = state.bindings.pop(key)
    state.matcher.remove(bound)
    broker.unshared_incoming().remove(bound)
    broker.routes.clear()
    _tell_unbound(broker, bound, why)


# Queues ------------------------------------------------------------------------------------------------------------


def declare_queue(broker: State, step: steps.DeclareQueue) -> None:
    declared = step.queue
    arguments = with_default_type(broker.broker_settings.default_queue_type, declared)
    name = stripped(declared.name)
    if name is not declared.name or arguments is not declared.arguments:
        declared = declared._replace(name=name, arguments=arguments)
    channel = broker.channel(step.channel)
    if declared.name.startswith(REPLY_TO):
        _ask_reply_queue(broker, channel, declared.name)
        return
    if declared.server_named and not declared.name:
        QUEUE_TYPES[queue_type(declared.arguments, "queue ''")].check_named(declared)
        declared = declared._replace(name=f"amq.gen-{broker.drawn_name()}", server_named=False)
    elif declared.name.startswith("amq.") and not declared.server_named:  # what the broker drew may be called so
        raise AmqpError(403, f"queue name '{declared.name}' contains reserved prefix 'amq.*'", argument="name")
    existing = broker.queues.get(declared.name)
    durable = declared.durable and not declared.exclusive
    if existing is not None:
        _assert_same_queue(broker, existing, declared, durable, channel.connection)
        if existing.declaring_renews_lease:
            existing.used_at = broker.now
    else:
        _create_queue(broker, declared, durable, channel.connection)
    broker.answer = answer_of(broker, broker.queues[declared.name])
    channel.last_queue = declared.name


def _ask_reply_queue(broker: State, channel: Channel[QueueType], name: str) -> None:
    """Every declare of the address of a direct reply-to consumer is a passive one (rules/routing#U21)."""
    owner = broker.channels.get(broker.reply_channels.get(name, ""))
    if name != REPLY_TO and (owner is None or owner.reply_consumer is None):
        raise AmqpError(404, f"no queue '{name}' in vhost '{broker.vhost}'")
    broker.answer = QueueAnswer(name, 0, 1)
    channel.last_queue = name


def ask_queue(broker: State, step: steps.AskQueue) -> None:
    """Only the name matters (rules/queues#1.6)."""
    channel = broker.channel(step.channel)
    if step.queue.startswith(REPLY_TO):
        _ask_reply_queue(broker, channel, stripped(step.queue))
        return
    queue = broker.accessible(broker.queue(stripped(step.queue)), channel.connection)
    if queue.declaring_renews_lease:
        queue.used_at = broker.now
    broker.answer = answer_of(broker, queue)
    channel.last_queue = queue.name


def _assert_same_queue(broker: State, queue: QueueType, declared: Queue, durable: bool, connection: str) -> None:
    broker.accessible(queue, connection)
    if (queue.owner is not None) != declared.exclusive:
        raise AmqpError(
            405,
            f"cannot obtain exclusive access to locked {queue.where()}. It could be originally declared on another "
            "connection or the exclusive property value does not match that of the original declaration.",
            argument="exclusive",
        )
    where = queue.where()
    _assert_same("durable", queue.durable, durable, where)
    _assert_same("auto_delete", queue.auto_delete, declared.auto_delete, where)
    for name in COMPARED[queue.kind]:
        if name == "x-queue-type":  # absent and `classic` are the same (rules/queues#1.8)
            wanted = raw(declared.arguments.get(name, "classic"))
            assert_equivalent(name, {name: queue.kind}, {name: wanted}, where)
        else:
            assert_equivalent(name, queue.arguments, declared.arguments, where)


def _create_queue(broker: State, declared: Queue, durable: bool, connection: str) -> None:
    where = f"queue '{declared.name}' in vhost '{broker.vhost}'"
    arguments = declared.arguments
    dead_letter_exchange = arguments.get("x-dead-letter-exchange", "")
    if wire_type(dead_letter_exchange) != "longstr":
        raise AmqpError(
            406, f"invalid type '{wire_type(dead_letter_exchange)}' for arg 'x-dead-letter-exchange' in {where}",
            argument="x-dead-letter-exchange",
        )  # fmt: skip
    kind = queue_type(arguments, where)
    validate(kind, arguments, where, broker.rules)
    QUEUE_TYPES[kind].check_declare(declared, durable, where, broker.rules)
    broker_name = f"amq.gen-{broker.drawn_name()}" if declared.server_named else declared.name
    queue = QUEUE_TYPES[kind](
        declared.name, broker_name, arguments, durable=durable, auto_delete=declared.auto_delete,
        owner=connection if declared.exclusive else None, rules=broker.rules, vhost=broker.vhost,
    )  # fmt: skip
    queue.used_at = broker.now
    broker.queues_declared += 1
    queue.declared = broker.queues_declared
    broker.queues[declared.name] = queue
    if declared.exclusive:
        broker.owners.setdefault(connection, {})[declared.name] = None
    broker.routes.clear()
    apply_to_queue(broker, queue)
    broker.watch_lease(queue)
    if broker.listen:
        broker.listen(events.QueueDeclared(broker.now, declared.name, kind, broker_name))


def with_default_type(default: str | None, declared: Queue) -> Table:
    """The arguments with the vhost's default queue type, which is injected where it is compatible (rules/queues#1.10)."""
    if default is None or default == "classic" or "x-queue-type" in declared.arguments:
        return declared.arguments
    compatible = declared.durable and not declared.exclusive and not declared.auto_delete
    return {**declared.arguments, "x-queue-type": default} if compatible else declared.arguments


def lease_over(broker: State, name: str) -> None:
    queue = broker.queues.get(name)
    if queue is None or queue.settings.expires is None or queue.subscriptions:
        return
    if broker.now < queue.used_at + queue.settings.expires:
        broker.watch_lease(queue)
    elif queue.held_by_get():
        queue.used_at = broker.now
        broker.watch_lease(queue)
    else:
        remove_queue(broker, queue, f"unused for {duration_text(queue.settings.expires)} (x-expires)")


def delete_queue(broker: State, step: steps.DeleteQueue) -> None:
    channel = broker.channel(step.channel)
    queue = broker.queues.get(stripped(named(channel, step.queue)))
    broker.answer = QueueAnswer(step.queue, 0, 0) if queue is None else answer_of(broker, queue)
    if queue is None:
        return
    broker.accessible(queue, channel.connection)
    queue.check_delete(if_unused=step.if_unused, if_empty=step.if_empty)
    remove_queue(broker, queue, "deleted")


def remove_queue(broker: State, queue: QueueType, why: str, held: Sequence[Copy] = (), *, cascade: bool = True) -> None:
    """With its messages, ready and unacked, its bindings, and every auto-delete exchange that this leaves unbound.

    `held`: what a channel that has just gone held of it. `cascade` False, at a restart: exchanges stay (rules/routing#C8).
    """
    del broker.queues[queue.name]
    if queue.owner is not None:
        broker.owners.get(queue.owner, {}).pop(queue.name, None)
    queue.deleted = True
    gone = [*queue.copies(), *(() if queue.keeps_log else held)]
    if not queue.keeps_log and queue.unacked:
        for channel in broker.channels.values():
            gone.extend(item.copy for item in channel.outstanding() if item.queue is queue)
    broker.ledger.deleted += len(gone)
    queue.unacked = 0
    queue.awaiting = []
    if broker.listen:
        for copy in gone:
            broker.listen(events.Deleted(broker.now, copy.message, queue.name, copy.serial))
        broker.listen(events.QueueDeleted(broker.now, queue.name, why, len(gone)))
    for subscription in _in_turn(queue):
        subscription.channel.subscriptions.pop(subscription.tag, None)
        subscription.cancelled = True
        if broker.listen:
            broker.listen(events.ConsumerCancelled(broker.now, subscription.name, queue.name, f"queue '{queue.name}' is gone"))
        broker.outbox.append(
            ConsumerEnded(subscription.name, subscription.channel.name, False, "its queue is gone", subscription.tag)
        )
    queue.subscriptions = {}
    emptied = _unbind_all_from(broker, "queue", queue.name)
    for source in emptied if cascade else ():
        remove_exchange(broker, source, "auto-delete: its last binding is gone")


def _in_turn(queue: QueueType) -> list[Subscription]:
    """Its consumers as they hear of its end: those of one channel by their tags."""
    of_channels: dict[str, list[Subscription]] = {}
    for subscription in queue.subscriptions.values():
        of_channels.setdefault(subscription.channel.name, []).append(subscription)
    return [item for found in of_channels.values() for item in sorted(found, key=lambda each: each.tag.encode())]


def purge(broker: State, step: steps.Purge) -> None:
    channel = broker.channel(step.channel)
    queue = broker.accessible(broker.queue(stripped(named(channel, step.queue))), channel.connection)
    purged = queue.purge(broker)
    broker.answer = QueueAnswer(queue.broker_name, len(purged), queue.consumer_count())
    broker.ledger.purged += len(purged)
    if broker.listen:
        for copy in purged:
            broker.listen(events.Purged(broker.now, copy.message, queue.name, copy.serial))
        broker.listen(events.QueuePurged(broker.now, queue.name, len(purged)))


def expire(broker: State, step: steps.Expire) -> None:
    queue = broker.queue(step.queue)
    if queue.keeps_log:
        raise NotPossible(f"the messages of '{step.queue}' do not expire: it is a stream")
    queue.expire_ready(broker)
