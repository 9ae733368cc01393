"""Connections, and closing them."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from routesim import steps
from routesim.control.http_messages import HttpRequest, Response
from routesim.control.management.asked import DONE, NODE, Managed, first_user, missing, vhost_named
from routesim.control.management.channels import UNKNOWN, api_name, channel_form, channels_in, listens_at, peer_of
from routesim.control.management.listing import listed, with_columns
from routesim.control.router import Route
from routesim.named_tuples import NamedTuple
from routesim.serve.connection import RUNNING, Connection
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import plain

FORCED, FORCED_TEXT = 320, "Closed via management plugin"
Item = dict[str, Any]


class End(NamedTuple):
    """One end of a connection: how it looks, and what closes it."""

    form: Item
    close: Callable[[str], Any]


def _served(context: Managed, connection: Connection) -> Item:
    host, port = peer_of(connection)
    own_host, own_port = listens_at(context)
    properties = plain(connection.client_properties)
    form = {
        "name": api_name(context, connection), "node": NODE, "vhost": connection.vhost_of().name, "user": connection.user,
        "user_who_performed_action": connection.user, "type": "network", "protocol": "AMQP 0-9-1",
        "auth_mechanism": connection.mechanism, "host": own_host, "port": own_port, "peer_host": host, "peer_port": port,
        "ssl": "amqp/ssl" in context.server.addresses, "state": _state(connection), "channels": len(connection.channels),
        "channel_max": connection.channel_max, "frame_max": connection.frame_max, "timeout": connection.heartbeat_s,
        "connected_at": context.server.clock.epoch_s * 1000 + connection.opened_ms, "client_properties": properties,
    }  # fmt: skip
    named = properties.get("connection_name")
    return {**form, "user_provided_name": named} if isinstance(named, str) else form


def _state(connection: Connection) -> str:
    if connection.waiting is not None:
        return "blocked"
    return "blocking" if connection.alarm is not None else "running"


def _played(context: Managed, vhost: Vhost, name: str) -> Item:
    """A connection of a scenario that is played, as one that does not come over the network."""
    user = first_user(context)
    return {
        "name": name, "node": NODE, "vhost": vhost.name, "user": user, "user_who_performed_action": user, "type": "direct",
        "protocol": "Direct 0-9-1", "peer_host": UNKNOWN, "peer_port": UNKNOWN, "state": "running",
        "channels": len(vhost.broker.connections[name]), "client_properties": {}, "user_provided_name": name,
    }  # fmt: skip


def _ends(context: Managed, vhost: Vhost) -> dict[str, End]:
    """By its name in the API: how each connection looks, and what ends it with a reason."""
    running = [each for each in context.server.connections_of(vhost) if each.state == RUNNING]
    found = {api_name(context, each): End(_served(context, each), partial(each.force_out, FORCED)) for each in running}
    served = {each.name for each in running}
    for name in vhost.broker.connections:
        if name not in served and name != OWN:
            found[name] = End(_played(context, vhost, name), partial(_close_played, vhost, name))
    return found


def _close_played(vhost: Vhost, name: str, text: str) -> None:
    vhost.command(steps.Close(name, FORCED, f"CONNECTION_FORCED - {text}"))


def count_in(context: Managed, vhost: Vhost) -> int:
    return len(_ends(context, vhost))


def _listed(context: Managed, request: HttpRequest, vhosts: Iterable[Vhost], *, pages: bool) -> Any:
    found = [end.form for vhost in vhosts for end in _ends(context, vhost).values()]
    return listed(request, found, "name", pages=pages)


def connections(context: Managed, request: HttpRequest) -> Any:
    return _listed(context, request, context.server.vhosts.values(), pages=True)


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    return _listed(context, request, [vhost_named(context, vhost)], pages=False)


def of_user(context: Managed, request: HttpRequest, user: str) -> Any:
    found = [end.form for vhost in context.server.vhosts.values() for end in _ends(context, vhost).values()]
    return [{key: item[key] for key in ("name", "node", "user", "vhost")} for item in found if item["user"] == user]


def _one(context: Managed, name: str) -> tuple[Vhost, End]:
    for vhost in context.server.vhosts.values():
        found = _ends(context, vhost).get(name)
        if found is not None:
            return vhost, found
    raise missing()


def connection(context: Managed, request: HttpRequest, name: str) -> Any:
    return with_columns(request, _one(context, name)[1].form)


def close(context: Managed, request: HttpRequest, name: str) -> Response:
    _one(context, name)[1].close(request.headers.get("x-reason", FORCED_TEXT))
    return DONE


def channels(context: Managed, request: HttpRequest, name: str) -> Any:
    vhost, _ = _one(context, name)
    found = [channel_form(context, each) for each in channels_in(vhost)]
    return listed(request, [each for each in found if each["connection_details"]["name"] == name], "name")


ROUTES = [
    Route("GET", "connections", connections),
    Route("GET", "connections/{name}", connection),
    Route("DELETE", "connections/{name}", close),
    Route("GET", "connections/{name}/channels", channels),
    Route("GET", "connections/username/{user}", of_user),
    Route("GET", "vhosts/{vhost}/connections", in_vhost),
]
