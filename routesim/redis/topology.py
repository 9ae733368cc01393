"""Declaring, binding, deleting. Redis keeps bindings and lists; everything else each client knows for itself.

Here every client is taken to have declared what the scenario declares.
"""

from routesim import events, steps
from routesim.broker.records import BindingKey, ExchangeState, NotPossible, binding_key
from routesim.model import Binding, Exchange, Queue
from routesim.queues.arguments import ARGUMENTS
from routesim.redis.exchanges import TYPES, NoExchangeType, topic_pattern
from routesim.redis.lists import RedisList
from routesim.redis.state import RedisState
from routesim.values import NO_ARGUMENTS, is_integer, raw


def declare_exchange(broker: RedisState, step: steps.DeclareExchange) -> None:
    declared, connection = step.exchange, broker.channel(step.channel).connection
    existing = broker.exchanges.get(declared.name)
    declarers = broker.declarers.setdefault(declared.name, set())
    if existing is not None:
        _declared_again(broker, existing.declared, declared, known=connection in declarers)
        declarers.add(connection)
        return
    declarers.add(connection)
    if declared.type not in TYPES:
        broker.warn_once(f"Redis has no exchanges of type {declared.type}: nothing is bound to '{declared.name}' or routed by it")
    if "alternate-exchange" in declared.arguments:
        broker.warn_once("Redis has no alternate exchanges: the argument is ignored")
    state = ExchangeState(declared._replace(type=declared.type if declared.type in TYPES else "fanout"), broker.rules)
    state.declared = declared
    state.matcher = TYPES.get(declared.type, NoExchangeType)(declared, broker.rules)
    broker.exchanges[declared.name] = state
    broker.routes.clear()
    if broker.listen:
        broker.listen(events.ExchangeDeclared(broker.now, declared.name, declared.type))


def _declared_again(broker: RedisState, current: Exchange, received: Exchange, *, known: bool) -> None:
    """Redis keeps no declarations: only the connection that has made one can find that another differs."""
    same = (current.type, current.durable, current.auto_delete, current.arguments) == (
        received.type, received.durable, received.auto_delete, received.arguments,
    )  # fmt: skip
    if same:
        return
    if known:
        raise NotPossible(f"kombu: cannot redeclare exchange '{current.name}' with different settings on the same connection")
    broker.warn_once(f"Redis compares no declarations: '{current.name}' stays as it was declared first")


def ask_queue(broker: RedisState, step: steps.AskQueue) -> None:
    """kombu itself answers, by whether the list or a binding of the queue is there."""
    if step.queue not in broker.queues:
        raise NotPossible(f"NOT_FOUND - no queue '{step.queue}' in vhost '{broker.vhost}'")


def declare_queue(broker: RedisState, step: steps.DeclareQueue) -> None:
    declared = step.queue
    broker.channel(step.channel)
    _warn_of_queue(broker, declared)
    known = declared.name in broker.queues
    queue = broker.list_of(declared.name)
    expires = raw(declared.arguments.get("x-expires"))
    queue.expires = expires if is_integer(declared.arguments.get("x-expires")) else None
    queue.arguments, queue.auto_delete = declared.arguments, declared.auto_delete
    if not known and broker.listen:
        broker.listen(events.QueueDeclared(broker.now, declared.name, queue.kind, declared.name))


def _warn_of_queue(broker: RedisState, declared: Queue) -> None:
    for name in declared.arguments:
        if name in ARGUMENTS and (lacks := ARGUMENTS[name].redis_lacks):
            broker.warn_once(f"Redis has no {lacks}: {name} is ignored")
        elif name == "x-max-priority":
            steps_ = ", ".join(map(str, broker.priority_steps))
            broker.warn_once(f"Redis has no x-max-priority: every queue has the lists {steps_}, and the first is served first")
    if declared.exclusive:
        broker.warn_once("Redis has no exclusive queues: every client may use them, and they outlive their connection")


# Bindings ------------------------------------------------------------------------------------------------------------


def bind(broker: RedisState, step: steps.Bind) -> None:
    binding = step.binding
    if binding.destination_type != "queue":
        broker.warn_once("Redis has no bindings between exchanges: they are left out")
        return
    state = broker.exchanges.get(binding.source)
    if state is None:
        raise NotPossible(f"kombu: exchange '{binding.source}' is not declared on this connection")
    if state.declared.type not in TYPES:
        return
    queue = broker.list_of(binding.destination)
    broker.unbound.discard((binding.destination, binding.source, binding.routing_key))
    if state.declared.type == "fanout":
        queue.fanout = (binding.source, binding.routing_key)
    elif state.declared.type == "topic" and topic_pattern(binding.routing_key) is None:
        broker.warn_once(f"kombu makes no regular expression of the binding key '{binding.routing_key}': it never matches")
    if _member(binding) in state.bindings:
        return
    state.unshare()
    state.bindings[_member(binding)] = binding
    state.matcher.add(binding)
    broker.unshared_incoming().add(binding)
    broker.routes.clear()
    if broker.listen:
        broker.listen(events.Bound(broker.now, binding))


def _member(binding: Binding) -> BindingKey:
    """A member of the set is key, pattern and queue; arguments play no role."""
    return binding_key(binding._replace(arguments=NO_ARGUMENTS) if binding.arguments else binding)


def unbind(broker: RedisState, step: steps.Unbind) -> None:
    """kombu takes the binding out of a copy of the set that it has fetched: in Redis it stays."""
    binding = step.binding
    state = broker.exchanges.get(binding.source)
    if state is None or _member(binding) not in state.bindings:
        return
    broker.unbound.add((binding.destination, binding.source, binding.routing_key))
    broker.warn_once("Redis has no unbind: kombu forgets the binding, but leaves it in the set that publishers look at")


def take_out(broker: RedisState, binding: Binding, why: str) -> None:
    state = broker.exchanges[binding.source]
    state.unshare()
    del state.bindings[_member(binding)]
    state.matcher.remove(binding)
    broker.unshared_incoming().remove(binding)
    broker.unbound.discard((binding.destination, binding.source, binding.routing_key))
    broker.routes.clear()
    if broker.listen:
        broker.listen(events.Unbound(broker.now, binding, why))


# Deleting ------------------------------------------------------------------------------------------------------------


def delete_queue(broker: RedisState, step: steps.DeleteQueue) -> None:
    broker.channel(step.channel)
    queue: RedisList | None = broker.queues.get(step.queue)
    if step.if_unused:
        broker.warn_once("Redis has no if_unused: kombu does not know who consumes")
    if queue is not None and not (step.if_empty and queue.ready_count()):
        remove(broker, queue, "deleted")


def remove(broker: RedisState, queue: RedisList, why: str) -> None:
    """queue.delete: for each binding that clients know of, the binding and the lists go.

    What is unacked stays in the unacked set, and consumers go on waiting for lists of this name.
    """
    mine = [
        binding
        for binding in broker.incoming.to("queue", queue.name)
        if (queue.name, binding.source, binding.routing_key) not in broker.unbound
    ]
    if not mine:
        broker.warn_once(f"Redis has no queues to delete, only bindings: '{queue.name}' has none, so its messages stay")
        return
    gone = queue.purge(broker)
    broker.ledger.deleted += len(gone)
    if broker.listen:
        for copy in gone:
            broker.listen(events.Deleted(broker.now, copy.message, queue.name, copy.serial))
        broker.listen(events.QueueDeleted(broker.now, queue.name, why, len(gone)))
    for binding in mine:
        take_out(broker, binding, f"queue '{queue.name}' is gone")
    broker.forget_if_empty(queue)


def delete_exchange(broker: RedisState, step: steps.DeleteExchange) -> None:
    """kombu deletes the queues that are bound to it, those that are empty; the others and their bindings stay."""
    broker.channel(step.channel)
    state = broker.exchanges.get(step.exchange)
    if state is None or not step.exchange:
        return
    for name in dict.fromkeys(binding.destination for binding in list(state.bindings.values())):
        queue = broker.list_of(name)
        if not queue.ready_count():
            remove(broker, queue, f"empty, and exchange '{step.exchange}' is deleted")
    if state.bindings:
        broker.warn_once(f"Redis keeps no exchanges: '{step.exchange}' goes on with the bindings that are left")
        return
    del broker.exchanges[step.exchange]
    broker.declarers.pop(step.exchange, None)
    broker.routes.clear()
    if broker.listen:
        broker.listen(events.ExchangeDeleted(broker.now, step.exchange, "deleted"))


def purge(broker: RedisState, step: steps.Purge) -> None:
    broker.channel(step.channel)
    queue: RedisList | None = broker.queues.get(step.queue)
    gone = queue.purge(broker) if queue is not None else []
    broker.ledger.purged += len(gone)
    if broker.listen:
        for copy in gone:
            broker.listen(events.Purged(broker.now, copy.message, step.queue, copy.serial))
        broker.listen(events.QueuePurged(broker.now, step.queue, len(gone)))


def no_expiry(broker: RedisState, step: steps.Expire) -> None:
    raise NotPossible(f"nothing in '{step.queue}' expires: Redis has no time to live of messages")


def no_policies(broker: RedisState, step: steps.SetPolicy | steps.DeletePolicy) -> None:
    broker.warn_once("Redis has no policies: they are left out")
