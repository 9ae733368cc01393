"""Failures on order: what the table of failures names, carried out on the connections and queues of a server."""

from collections.abc import Callable, Mapping
from typing import Any

from routesim import events, steps
from routesim.durations import duration_text
from routesim.failure_kinds import BROKER, CHANNEL, CONNECTION, CONSUMER, FAILURES, OVERFLOWS, QUEUE, Failure
from routesim.named_tuples import NamedTuple
from routesim.replies import AmqpError
from routesim.serve.channels.channel import ServedChannel
from routesim.serve.connection import RUNNING, Connection
from routesim.serve.host import FailingHost
from routesim.serve.vhosts import Vhost

ALL = "*"
FORCED, FORCED_TEXT = 320, "a failure was ordered"
GONE, GONE_TEXT = 406, "a failure was ordered"
FULL = "routesim-full-"  # and the name of the queue: a policy above all others


class Order(NamedTuple):
    """`target`: the name of what it befalls, `*` for all of the kind; of the broker none. `vhost`: where, None: anywhere.
    `ends`: of a failure that lasts: it is over. `options`: those that the table names, durations in ms."""

    failure: str
    target: str | None = None
    vhost: str | None = None
    ends: bool = False
    options: Mapping[str, Any] = {}


class Found(NamedTuple):
    vhost: Vhost
    name: str
    what: Any


def carry_out(server: FailingHost, order: Order) -> list[str]:
    """The names of what it has befallen. Raises `LookupError` where nothing is called so, `ValueError` for what the table of
    failures does not have; nothing has happened then."""
    failure = FAILURES.get(order.failure)
    if failure is None:
        raise ValueError(f"no failure is called '{order.failure}'; there are {', '.join(FAILURES)}")
    _check(order, failure)
    found = list(_befallen(server, order, failure))
    for item in found:
        _tell(item, order)
        DO[order.failure](server, item, order)
    return [item.name for item in found]


def _check(order: Order, failure: Failure) -> None:
    if order.ends and not failure.lasts:
        raise ValueError(f"{order.failure} does not last, and cannot be ended")
    unknown = [name for name in order.options if name not in failure.options]
    if unknown:
        takes = f"takes {', '.join(failure.options)}" if failure.options else "takes no options"
        raise ValueError(f"{order.failure} {takes}, not '{unknown[0]}'")
    for name, value in order.options.items():
        if name in WANTED and not WANTED[name][1](value):
            raise ValueError(f"{order.failure}: '{name}' is {WANTED[name][0]}, not {value!r}")
    if failure.befalls == BROKER and order.target is not None:
        raise ValueError(f"{order.failure} befalls the broker, and takes no name")
    if failure.befalls != BROKER and order.target is None:
        raise ValueError(f"{order.failure} befalls a {failure.befalls}: which one? '*' is all of them")
    if "by" in failure.options and "by" not in order.options and not order.ends:
        raise ValueError(f"{order.failure} needs 'by': how late")


WANTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "after": ("a number of deliveries from 1 on", lambda value: type(value) is int and value > 0),
    "at_ack": ("a number of answers from 1 on", lambda value: type(value) is int and value > 0),
    "code": ("a reply code from 200 to 599", lambda value: type(value) is int and 200 <= value < 600),
    "text": ("a text", lambda value: isinstance(value, str)),
    "by": ("a duration", lambda value: type(value) is int and value > 0),
    "overflow": (", ".join(OVERFLOWS), lambda value: value in OVERFLOWS),
}


def _befallen(server: FailingHost, order: Order, failure: Failure) -> list[Found]:
    if order.vhost is not None and order.vhost not in server.vhosts:
        raise LookupError(f"no vhost is called '{order.vhost}'; there are {', '.join(server.vhosts) or 'none'}")
    vhosts = [vhost for name, vhost in server.vhosts.items() if order.vhost in (None, name)]
    if failure.befalls == BROKER:
        return [Found(vhost, vhost.name, vhost) for vhost in vhosts]
    there = [item for vhost in vhosts for item in KINDS[failure.befalls](server, vhost)]
    found = [item for item in there if order.target in (ALL, item.name)]
    if not found and order.target != ALL:
        names = ", ".join(item.name for item in there)
        raise LookupError(f"no {failure.befalls} is called '{order.target}'; there are {names or 'none'}")
    return found


def _connections(server: FailingHost, vhost: Vhost) -> list[Found]:
    return sorted(
        (Found(vhost, each.name, each) for each in server.connections if each.vhost is vhost and each.state == RUNNING),
        key=lambda item: item.name,
    )


def _channels(server: FailingHost, vhost: Vhost) -> list[Found]:
    return [Found(vhost, name, channel) for name, channel in vhost.channels.items()]


def _consumers(server: FailingHost, vhost: Vhost) -> list[Found]:
    return [
        Found(vhost, subscription.name, subscription)
        for queue in vhost.broker.queues.values() for subscription in queue.subscriptions.values()
        if subscription.channel.name in vhost.channels
    ]  # fmt: skip


def _queues(server: FailingHost, vhost: Vhost) -> list[Found]:
    return [Found(vhost, queue.broker_name, queue) for queue in vhost.broker.queues.values()]


KINDS: dict[str, Callable[[FailingHost, Vhost], list[Found]]] = {
    CONNECTION: _connections, CHANNEL: _channels, CONSUMER: _consumers, QUEUE: _queues,
}  # fmt: skip


def _tell(item: Found, order: Order) -> None:
    listen = item.vhost.broker.listen
    if listen:
        failure = FAILURES[order.failure]
        said = [f"{name} {duration_text(value) if name == 'by' else value}" for name, value in order.options.items()]
        text = "it is over" if order.ends else "; ".join([failure.effect, *said])
        listen(events.FailureOrdered(item.vhost.broker.now, order.failure, item.name, text))


# What befalls a connection or channel -------------------------------------------------------------------------------


def _crash(server: FailingHost, item: Found, order: Order) -> None:
    connection: Connection = item.what
    connection.cut_after, connection.cut_at_ack = order.options.get("after"), order.options.get("at_ack")
    if not order.options:
        connection.cut()


def _close(server: FailingHost, item: Found, order: Order) -> None:
    options = order.options
    item.what.force_out(options.get("code", FORCED), options.get("text", FORCED_TEXT))


def _close_channel(server: FailingHost, item: Found, order: Order) -> None:
    channel: ServedChannel = item.what
    error = AmqpError(order.options.get("code", GONE), order.options.get("text", GONE_TEXT))
    item.vhost.dispatch()
    item.vhost.apply(steps.CloseChannel(channel.name, error.code, error.text))
    channel.close_for(error)
    item.vhost.dispatch()


def _unread(server: FailingHost, item: Found, order: Order) -> None:
    item.what.hold(held=not order.ends)


def _confirms(how: str) -> "Callable[[FailingHost, Found, Order], None]":
    def carry(server: FailingHost, item: Found, order: Order) -> None:
        item.what.confirms = None if order.ends else (how, order.options.get("by", 0))

    return carry


def _stop_reading(server: FailingHost, item: Found, order: Order) -> None:
    item.what.link.listen(hears=order.ends)


def _slow(server: FailingHost, item: Found, order: Order) -> None:
    item.what.late_ms = 0 if order.ends else order.options["by"]


# What befalls consumers and queues ----------------------------------------------------------------------------------


def _cancel(server: FailingHost, item: Found, order: Order) -> None:
    subscription = item.what
    channel: Any = item.vhost.channels[subscription.channel.name]
    item.vhost.apply(steps.Cancel(channel.name, subscription.tag))
    channel.cancel_for(subscription.tag)
    item.vhost.dispatch()


def _delete_queue(server: FailingHost, item: Found, order: Order) -> None:
    item.vhost.command(steps.DeleteQueue(item.vhost.own_channel(item.name), item.name))


def _expire(server: FailingHost, item: Found, order: Order) -> None:
    item.vhost.command(steps.Expire(item.name))


def _full(server: FailingHost, item: Found, order: Order) -> None:
    name = FULL + item.name
    if not order.ends:
        overflow = order.options.get("overflow", OVERFLOWS[0])
        item.vhost.command(steps.SetPolicy(item.vhost.broker.policy_if_full(item.what, name, overflow)))
    elif (False, name) in item.vhost.broker.policies:
        item.vhost.command(steps.DeletePolicy(name))


# What befalls the broker --------------------------------------------------------------------------------------------


def _restart(clean: bool) -> "Callable[[FailingHost, Found, Order], None]":
    def carry(server: FailingHost, item: Found, order: Order) -> None:
        item.vhost.command(steps.Restart(clean))
        server.end_restarted(item.vhost, clean=clean)

    return carry


def _blocked(server: FailingHost, item: Found, order: Order) -> None:
    server.alarm(item.vhost, None if order.ends else order.options.get("text", "low on memory"))


def _refuse(server: FailingHost, item: Found, order: Order) -> None:
    item.vhost.refuses = not order.ends


DO: dict[str, Callable[[FailingHost, Found, Order], None]] = {
    "crash": _crash, "close": _close, "close_channel": _close_channel, "unread": _unread, "restart": _restart(True),
    "kill": _restart(False), "cancel": _cancel, "delete_queue": _delete_queue, "expire": _expire, "full": _full,
    "nack_confirms": _confirms("nack"), "delay_confirms": _confirms("delay"), "swallow_confirms": _confirms("swallow"),
    "stop_reading": _stop_reading, "blocked": _blocked, "refuse": _refuse, "slow": _slow,
}  # fmt: skip
