"""Branches of a broker: copies that cost little until they are changed."""

from collections import deque
from typing import Any

from routesim.broker import copying
from routesim.broker.branches.parts import EVERYTHING, Part, PartGroup, Parts, SharedPool, by_sign, grouped
from routesim.broker.clock import OVERDUE
from routesim.broker.memory import Memory
from routesim.broker.policy_index import Policies
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.content import digest_of_plain


def share(broker: RabbitBroker) -> SharedPool:
    """The broker's pool; from now on it has one, and is at rest."""
    if isinstance(broker.queues, Parts):
        return broker.queues.pool
    queues, channels, exchanges = _own("q ", broker.queues), _own("c ", broker.channels), _own("x ", broker.exchanges)
    pool = SharedPool(queues, channels, exchanges, broker.reply_queue)
    broker.queues, broker.channels, broker.exchanges = queues, channels, exchanges
    pool.rest()
    return pool


def _own(sign: str, parts: dict[str, Part]) -> Parts[Part]:
    """Nobody has a share in them yet."""
    made = Parts(parts)
    made.lent, made.own, made.sign = {}, set(parts), sign
    return made


def pool_of(broker: RabbitBroker) -> SharedPool | None:
    """None: it shares nothing."""
    return broker.queues.pool if isinstance(broker.queues, Parts) else None


def branch(broker: RabbitBroker) -> RabbitBroker:
    """As `copy`, of a broker at rest; but both have one ledger, and what is only kept to be quick. Both are at rest then."""
    if broker.uncommitted:  # they know the very queues that they are for
        return broker.copy()
    pool = share(broker).branch()
    fresh: RabbitBroker = object.__new__(RabbitBroker)
    fresh.__dict__.update(broker.__dict__)
    fresh.queues, fresh.channels, fresh.exchanges = pool.queues, pool.channels, pool.exchanges
    fresh.listen, fresh.tells_publishers, fresh.handed, fresh.answer = None, False, None, None
    fresh.outbox, fresh.told, fresh.failures, fresh.pending_dead_letters = deque(), deque(), [], deque()
    fresh.routes = Memory(broker.routes.size)
    broker.incoming_shared = fresh.incoming_shared = True
    fresh.agenda = broker.agenda.clone()
    fresh.policies = broker.policies.clone() if broker.policies else Policies()
    fresh.connections = {name: names.copy() for name, names in broker.connections.items()}
    fresh.owners = {name: owned.copy() for name, owned in broker.owners.items()}
    fresh.reply_channels = broker.reply_channels.copy()
    fresh.requeues_now, fresh.resting, fresh.uncommitted = {}, broker.resting.copy(), {}
    if broker.requeues_now:
        fresh.requeues_now = {message: places.copy() for message, places in broker.requeues_now.items()}
    return fresh


def groups_of(broker: RabbitBroker) -> dict[str, PartGroup]:
    """Of a broker at rest: by the signs of queues and channels, in the order in which it has them."""
    pool = pool_of(broker)
    if pool is not None:
        return pool.groups()
    return by_sign(grouped(broker.queues, broker.channels), broker.queues, broker.channels)


def rest_of_print(broker: RabbitBroker) -> tuple[Any, ...]:
    """What is in no queue or channel, of what `RabbitBroker.fingerprint` tells apart; of a broker at rest."""
    pool = pool_of(broker)
    looks = None if pool is None else pool.looks
    if looks is None:
        looks = digest_of_plain(copying.exchanges_print(broker)), tuple(broker.queues)
        if pool is not None:
            pool.looks = looks
    return looks, copying.rest_of_print(broker), broker.own_print()


def put(broker: RabbitBroker, groups: dict[str, PartGroup]) -> None:
    """Into a broker at rest, in the place of those that it has: all of its queues and channels, as `groups_of` has them."""
    assert isinstance(broker.queues, Parts)
    broker.queues.pool.put(groups)


def wake(broker: RabbitBroker) -> None:
    """Before a change of a broker that may have branches."""
    if not isinstance(broker.queues, Parts):
        return
    if broker.uncommitted:
        whole = broker.copy()
        whole.listen, whole.tells_publishers = broker.listen, broker.tells_publishers
        broker.__dict__.update(whole.__dict__)
        return
    broker.routes.clear()  # which know queues that are to be taken first
    broker.queues.pool.wake()


def _look_when_due(broker: RabbitBroker) -> None:
    """A look at unacknowledged messages is planned for the one that is due first then, which may be settled since, or its channel
    gone: plan it for what is there now, and that only."""
    assert isinstance(broker.channels, Parts)
    heap = broker.agenda.heap
    planned = {entry.what: entry.at_ms for entry in heap if entry.kind == OVERDUE}
    if not planned:
        return
    wrong = set()
    for (name, number), at_ms in planned.items():
        channel = dict.get(broker.channels, name)
        if channel is None or channel.number != number:
            wrong.add((name, number))
        elif name in broker.channels.own and broker.loses_patience_at(channel) != at_ms:
            wrong.add((name, number))
            channel.timeout_armed = False
    if wrong:
        broker.agenda.forget(lambda entry: entry.kind == OVERDUE and entry.what in wrong)
    for name, number in sorted(wrong):
        channel = dict.get(broker.channels, name)
        if channel is not None and channel.number == number:
            broker.watch_acknowledgement(channel)


def rest(broker: RabbitBroker) -> tuple[set[str] | None, bool]:
    """After a change. Returns the signs of what it has touched, None: not known; and whether channels came or went."""
    if not isinstance(broker.queues, Parts):
        return None, True
    pool = broker.queues.pool
    _look_when_due(broker)
    pool.rest()
    if not broker.incoming_shared:
        pool.touched.add(EVERYTHING)
    return pool.touched, broker.channels.sign in pool.reshaped  # type: ignore[attr-defined]
