"""Channels, the connections that they are on, and the consumers that they have."""

from collections.abc import Iterable, Iterator
from typing import Any

from routesim.control.http_messages import HttpRequest
from routesim.control.management.asked import FOUR, FOUR_THREE, NODE, Managed, first_user, missing, vhost_named
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.stats import CHANNEL
from routesim.control.router import Route
from routesim.model import REPLY_TO
from routesim.named_tuples import NamedTuple
from routesim.queues import Channel, QueueType, Subscription
from routesim.serve.connection import Connection
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import plain

UNKNOWN = "undefined"
Item = dict[str, Any]


class KnownChannel(NamedTuple):
    """A channel of the engine, the client's connection that it is on (None: it is of a scenario that is played), and its number
    there."""

    vhost: Vhost
    channel: Channel[QueueType]
    connection: Connection | None
    number: int


def api_name(context: Managed, connection: Connection) -> str:
    """What RabbitMQ calls a connection: both its ends."""
    host, port = listens_at(context)
    return f"{connection.peer} -> {host}:{port}"


def listens_at(context: Managed) -> tuple[str, int]:
    """Where clients connect."""
    addresses = context.server.addresses
    return addresses.get("amqp") or addresses.get("amqp/ssl") or ("127.0.0.1", 5672)


def peer_of(connection: Connection) -> tuple[str, int]:
    host, _, port = connection.peer.rpartition(":")
    return host, int(port) if port.isdigit() else 0


def connection_details(context: Managed, vhost: Vhost, name: str) -> Item:
    """Of the connection that the engine calls so."""
    for each in context.server.connections_of(vhost):
        if each.name == name:
            return _details(context, each)
    return {"name": name, "peer_host": UNKNOWN, "peer_port": UNKNOWN}


def _details(context: Managed, connection: Connection) -> Item:
    host, port = peer_of(connection)
    return {"name": api_name(context, connection), "peer_host": host, "peer_port": port}


def channels_in(vhost: Vhost) -> Iterator[KnownChannel]:
    """Those of clients and of scenarios, not the server's own."""
    for name, channel in vhost.broker.channels.items():
        served: Any = vhost.channels.get(name)
        if served is not None:
            yield KnownChannel(vhost, channel, served.connection, served.number)
        elif name != OWN:
            yield KnownChannel(vhost, channel, None, vhost.broker.connections[channel.connection].index(name) + 1)


def _names(context: Managed, found: KnownChannel) -> Item:
    """The channel's name, and what is said of it wherever it is named."""
    if found.connection is None:
        own = {"name": found.channel.connection, "peer_host": UNKNOWN, "peer_port": UNKNOWN}
    else:
        own = _details(context, found.connection)
    user = first_user(context) if found.connection is None else found.connection.user
    return {"connection": own, "name": f"{own['name']} ({found.number})", "user": user}


def channel_form(context: Managed, found: KnownChannel) -> Item:
    channel, names = found.channel, _names(context, found)
    answered = channel.answered
    form = {
        "name": names["name"], "number": found.number, "node": NODE, "vhost": found.vhost.name, "user": names["user"],
        "user_who_performed_action": names["user"], "connection_details": names["connection"], "state": "running",
        "confirm": channel.confirms, "transactional": answered is not None, "consumer_count": len(channel.subscriptions),
        "prefetch_count": channel.prefetch, "messages_unacknowledged": len(channel.unacked),
        "messages_unconfirmed": 0, "messages_uncommitted": len(found.vhost.broker.uncommitted.get(channel.name, ())),
        "acks_uncommitted": sum(len(answer.deliveries) for answer in answered or ()),
    }  # fmt: skip
    if not context.at_least(FOUR):
        form["global_prefetch_count"] = channel.limit
    stats = context.stats.of(found.vhost.name, CHANNEL, channel.name)
    return {**form, "message_stats": stats} if stats else form


# Consumers -----------------------------------------------------------------------------------------------------------


def consumers_of(context: Managed, vhost: Vhost, *queues: QueueType) -> list[Item]:
    """Those of these queues."""
    by_name = {found.channel.name: found for found in channels_in(vhost)}
    return [
        _consumer(context, by_name[each.channel.name], each, queue)
        for queue in queues for each in queue.subscriptions.values() if each.channel.name in by_name
    ]  # fmt: skip


def _consumer(context: Managed, found: KnownChannel, subscription: Subscription, queue: QueueType) -> Item:
    names = _names(context, found)
    single = queue.settings.single_active_consumer
    active = getattr(queue, "active_consumer", None) if single else subscription
    form = {
        "consumer_tag": subscription.tag, "queue": {"name": queue.broker_name, "vhost": found.vhost.name},
        "ack_required": not subscription.auto_ack, "exclusive": subscription.exclusive, "active": active is subscription,
        "activity_status": _activity(context, queue, subscription, active is subscription),
        "arguments": plain(subscription.arguments),
        "prefetch_count": subscription.prefetch or found.channel.prefetch,
        "channel_details": {
            "name": names["name"], "number": found.number, "node": NODE, "user": names["user"],
            "connection_name": names["connection"]["name"], "peer_host": names["connection"]["peer_host"],
            "peer_port": names["connection"]["peer_port"],
        },
    }  # fmt: skip
    if context.at_least(FOUR):
        form["consumer_timeout"] = found.vhost.broker.acknowledgement_timeout(queue, subscription)
    return form


def _activity(context: Managed, queue: QueueType, subscription: Subscription, active: bool) -> str:
    """From 4.3 on a classic queue tells who has as much as its prefetch limit lets it."""
    if queue.settings.single_active_consumer:
        return "single_active" if active else "waiting"
    blocked = context.at_least(FOUR_THREE) and queue.kind == "classic" and subscription.credit <= 0
    return "blocked" if blocked else "up"


def _consumers(context: Managed, request: HttpRequest, vhosts: Iterable[Vhost]) -> Any:
    found = [item for vhost in vhosts for item in consumers_of(context, vhost, *vhost.broker.queues.values())]
    return listed(request, found, "queue.vhost", "queue.name", "consumer_tag")


def consumers(context: Managed, request: HttpRequest) -> Any:
    return _consumers(context, request, context.server.vhosts.values())


def consumers_in(context: Managed, request: HttpRequest, vhost: str) -> Any:
    return _consumers(context, request, [vhost_named(context, vhost)])


# Channels ------------------------------------------------------------------------------------------------------------


def _all(context: Managed, vhosts: Iterable[Vhost]) -> list[Item]:
    return [channel_form(context, found) for vhost in vhosts for found in channels_in(vhost)]


def channels(context: Managed, request: HttpRequest) -> Any:
    return listed(request, _all(context, context.server.vhosts.values()), "name", pages=True)


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    return listed(request, _all(context, [vhost_named(context, vhost)]), "name")


def channel(context: Managed, request: HttpRequest, name: str) -> Any:
    for vhost in context.server.vhosts.values():
        for found in channels_in(vhost):
            if _names(context, found)["name"] == name:
                details = [
                    _consumer(context, found, subscription, queue)
                    for subscription, queue in found.channel.subscriptions.values() if queue.name != REPLY_TO
                ]  # fmt: skip
                form = {"consumer_details": details, "publishes": [], "deliveries": []}
                return with_columns(request, {**channel_form(context, found), **form})
    raise missing()


ROUTES = [
    Route("GET", "consumers", consumers),
    Route("GET", "consumers/{vhost}", consumers_in),
    Route("GET", "channels", channels),
    Route("GET", "channels/{name}", channel),
    Route("GET", "vhosts/{vhost}/channels", in_vhost),
]
