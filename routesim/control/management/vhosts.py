"""Virtual hosts: what there is, making and deleting them."""

from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import (
    CREATED,
    DONE,
    FOUR,
    FOUR_THREE,
    NODE,
    Managed,
    VhostTold,
    body_of,
    flag,
    text_of,
    vhost_named,
)
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.queues import held
from routesim.control.management.stats import VHOST
from routesim.control.router import Route
from routesim.model import BrokerSettings
from routesim.queues import QUEUE_TYPES
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.vhosts import Vhost

TYPE_CHANGES = "3.11.0"  # since when the default type of a virtual host that is there can
Item = dict[str, Any]


def totals_of(vhosts: list[Vhost]) -> Item:
    """How many messages there are."""
    ready = unacked = 0
    for vhost in vhosts:
        out = held(vhost)
        for queue in vhost.broker.queues.values():
            ready += queue.ready_count()
            unacked += 0 if queue.keeps_log else out.get(id(queue), (0, 0))[0]
    return {"messages": ready + unacked, "messages_ready": ready, "messages_unacknowledged": unacked}


def metadata_of(context: Managed, vhost: Vhost) -> Item:
    told = context.told.get(vhost.name) or VhostTold()
    kind = vhost.broker.broker_settings.default_queue_type
    found: Item = {"description": told.description, "tags": list(told.tags)}
    return {**found, "default_queue_type": kind or "classic"} if kind or context.at_least(FOUR) else found


def vhost_form(context: Managed, vhost: Vhost) -> Item:
    metadata = metadata_of(context, vhost)
    found = {
        "name": vhost.name, "description": metadata["description"], "tags": metadata["tags"],
        "default_queue_type": metadata.get("default_queue_type", "undefined"), "metadata": metadata,
        "tracing": (context.told.get(vhost.name) or VhostTold()).tracing, "cluster_state": {NODE: "running"},
        **(totals_of([vhost]) if vhost.broker.queues else {}),
    }  # fmt: skip
    if context.at_least(FOUR_THREE):
        found["protected_from_deletion"] = False
    stats = context.stats.of(vhost.name, VHOST)
    return {**found, "message_stats": stats} if stats else found


def vhosts(context: Managed, request: HttpRequest) -> Any:
    return listed(request, [vhost_form(context, each) for each in context.server.vhosts.values()], "name", pages=True)


def vhost(context: Managed, request: HttpRequest, name: str) -> Any:
    return with_columns(request, vhost_form(context, vhost_named(context, name)))


def put(context: Managed, request: HttpRequest, name: str) -> Response:
    body = body_of(request)
    there = name in context.server.vhosts
    make(context, name, body)
    return DONE if there else CREATED


def make(context: Managed, name: str, body: Item) -> Vhost:
    """Make it, or change what is told of it. Raises `HttpError`."""
    kind, description, tags = _default_type(context, body), text_of(body, "description"), tags_of(body.get("tags", ""))
    tracing = flag(body, "tracing") if "tracing" in body else context.told.get(name, VhostTold()).tracing
    there = context.server.vhosts.get(name)
    found = there or _new(context, name)
    if there is None or (kind is not None and context.at_least(TYPE_CHANGES)) or context.at_least(FOUR_THREE):
        settings = found.broker.broker_settings
        found.broker.broker_settings = settings._replace(default_queue_type=kind)
    context.told[name] = VhostTold(description, tags, tracing)
    return found


def _default_type(context: Managed, body: Item) -> str | None:
    key = "default_queue_type" if context.at_least(TYPE_CHANGES) else "defaultqueuetype"
    kind = body.get(key) or None
    if kind in (None, "undefined"):
        return None
    if not isinstance(kind, str) or kind not in QUEUE_TYPES:
        raise HttpError(400, f"{kind} is not a valid queue type")
    return kind


def tags_of(given: Any) -> tuple[str, ...]:
    """Names with commas between them, or a list of them. Raises `HttpError`."""
    if isinstance(given, str):
        given = [part.strip() for part in given.split(",")]
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise HttpError(400, "tags are names with commas between them, or a list of names")
    return tuple(item for item in given if item)


def _new(context: Managed, name: str) -> Vhost:
    """Like the others as far as a node's settings go."""
    server = context.server
    others = [each.broker.broker_settings for each in server.vhosts.values()]
    settings = (others[0] if others else BrokerSettings())._replace(default_queue_type=None)
    scenario = empty_scenario(server.rules.version, name)._replace(settings=settings)
    vhost = server.add_vhost(name, broker_of(scenario))
    context.welcome(vhost)
    return vhost


def delete(context: Managed, request: HttpRequest, name: str) -> Response:
    vhost_named(context, name)
    context.server.remove_vhost(name)
    context.forget(name)
    return DONE


ROUTES = [
    Route("GET", "vhosts", vhosts),
    Route("GET", "vhosts/{name}", vhost),
    Route("PUT", "vhosts/{name}", put),
    Route("DELETE", "vhosts/{name}", delete),
]
