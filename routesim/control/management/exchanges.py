"""Exchanges: what there is, declaring and deleting."""

from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker.policies import matching
from routesim.control.http_messages import HttpRequest, Response
from routesim.control.management.asked import (
    CREATED,
    DONE,
    Managed,
    body_of,
    carry_out,
    checked_name,
    first_user,
    flag,
    missing,
    table_of,
    text_of,
    vhost_named,
    vhost_to_change,
)
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.stats import EXCHANGE
from routesim.control.router import Route
from routesim.model import DEFAULT_EXCHANGE, Exchange
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import plain

DEFAULT_NAME = "amq.default"  # of the default exchange in an address
Item = dict[str, Any]


def exchange_name(name: str) -> str:
    """The name in an address as the exchange's own."""
    return DEFAULT_EXCHANGE if name == DEFAULT_NAME else name


def declared_form(declared: Exchange) -> Item:
    """As it was declared, for lists and definitions."""
    return {
        "name": declared.name, "type": declared.type, "durable": declared.durable, "auto_delete": declared.auto_delete,
        "internal": declared.internal, "arguments": plain(declared.arguments),
    }  # fmt: skip


def exchange_form(context: Managed, vhost: Vhost, name: str) -> Item:
    state = vhost.broker.exchanges[name]
    found = {**declared_form(state.declared), "vhost": vhost.name, "user_who_performed_action": first_user(context)}
    for policy in matching(vhost.broker, False, name, "exchange")[:1]:
        found["policy"] = policy.name
    stats = context.stats.of(vhost.name, EXCHANGE, name)
    return {**found, "message_stats": stats} if stats else found


def _all(context: Managed, *vhosts: Vhost) -> Iterator[Item]:
    for vhost in vhosts:
        for name in vhost.broker.exchanges:
            yield exchange_form(context, vhost, name)


def exchanges(context: Managed, request: HttpRequest) -> Any:
    return listed(request, _all(context, *context.server.vhosts.values()), "vhost", "name", pages=True)


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    return listed(request, _all(context, vhost_named(context, vhost)), "vhost", "name", pages=True)


def exchange(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    where, found = vhost_named(context, vhost), exchange_name(name)
    if found not in where.broker.exchanges:
        raise missing()
    return with_columns(request, {**exchange_form(context, where, found), "incoming": [], "outgoing": []})


def declare(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    """A longer name than AMQP can carry is refused, which RabbitMQ would take."""
    where, own = vhost_to_change(context, vhost), checked_name("exchange", exchange_name(name))
    body = body_of(request)
    declared = Exchange(
        own, text_of(body, "type", "direct"), flag(body, "durable"), flag(body, "auto_delete"), flag(body, "internal"),
        table_of(body.get("arguments"), "arguments"),
    )  # fmt: skip
    there = own in where.broker.exchanges
    carry_out(where, steps.DeclareExchange(OWN, declared))
    return DONE if there else CREATED


def delete(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    where, own = vhost_named(context, vhost), exchange_name(name)
    if own not in where.broker.exchanges:
        raise missing()
    carry_out(where, steps.DeleteExchange(OWN, own, request.query.get("if-unused") == "true"))
    return DONE


ROUTES = [
    Route("GET", "exchanges", exchanges),
    Route("GET", "exchanges/{vhost}", in_vhost),
    Route("GET", "exchanges/{vhost}/{name}", exchange),
    Route("PUT", "exchanges/{vhost}/{name}", declare),
    Route("DELETE", "exchanges/{vhost}/{name}", delete),
]
