"""Bindings, each with the key under which the API finds it, and those that the default exchange has to every queue."""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

from routesim import steps
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import (
    DONE,
    Managed,
    body_of,
    carry_out,
    location,
    missing,
    table_of,
    text_of,
    vhost_named,
    vhost_to_change,
)
from routesim.control.management.exchanges import exchange_name
from routesim.control.management.listing import listed, with_columns
from routesim.control.router import Route
from routesim.exchanges.consistent_hash import erlang_pair
from routesim.exchanges.erlang import phash2_32
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import Table, plain

SORTS = ("vhost", "source", "destination", "routing_key", "properties_key")
KINDS = {"q": "queue", "e": "exchange"}
Item = dict[str, Any]


def properties_key(binding: Binding) -> str:
    """The routing key, and behind a tilde a hash of the arguments if there are any (`rabbit_mgmt_format:pack_binding_props`)."""
    key = _quoted(binding.routing_key)
    if not binding.arguments:
        return key or "~"
    return f"{key}~{_hash(binding.arguments)}"


def _quoted(text: str) -> str:
    """As RabbitMQ quotes addresses: letters, digits, `.`, `_` and `-` stand for themselves."""
    return quote_plus(text.encode("utf-8", "surrogateescape")).replace("~", "%7E").replace("*", "%2A")


def _hash(arguments: Table) -> str:
    term = [(key.encode("utf-8", "surrogateescape"), *erlang_pair(value)) for key, value in sorted(arguments.items())]
    return base64.urlsafe_b64encode(phash2_32(term).to_bytes(4, "big")).decode().rstrip("=")


def declared_form(binding: Binding) -> Item:
    """As it was declared, for lists and definitions."""
    return {
        "source": binding.source, "destination": binding.destination, "destination_type": binding.destination_type,
        "routing_key": binding.routing_key, "arguments": plain(binding.arguments),
    }  # fmt: skip


def binding_form(vhost: Vhost, binding: Binding) -> Item:
    return {**declared_form(binding), "vhost": vhost.name, "properties_key": properties_key(binding)}


def all_bindings(vhost: Vhost) -> Iterator[Binding]:
    for name in vhost.broker.queues:
        yield Binding(DEFAULT_EXCHANGE, name, "queue", name)
    yield from declared_bindings(vhost)


def declared_bindings(vhost: Vhost) -> Iterator[Binding]:
    for state in vhost.broker.exchanges.values():
        yield from state.bindings.values()


def _listed(request: HttpRequest, vhosts: list[Vhost], wanted: Callable[[Binding], bool] = lambda binding: True) -> Any:
    found = [binding_form(vhost, binding) for vhost in vhosts for binding in all_bindings(vhost) if wanted(binding)]
    return listed(request, found, *SORTS)


def _there(context: Managed, name: str) -> list[Vhost]:
    found = context.server.vhosts.get(name)
    return [] if found is None else [found]


def bindings(context: Managed, request: HttpRequest) -> Any:
    return _listed(request, list(context.server.vhosts.values()))


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    return _listed(request, [vhost_named(context, vhost)])


def of_queue(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    """The default exchange has one to it, be it there or not."""
    own = Binding(DEFAULT_EXCHANGE, name, "queue", name)
    found = [
        binding_form(where, each) for where in _there(context, vhost) for each in (own, *declared_bindings(where))
        if (each.destination_type, each.destination) == ("queue", name)
    ]  # fmt: skip
    return listed(request, found, *SORTS)


def from_exchange(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    own = exchange_name(name)
    return _listed(request, _there(context, vhost), lambda each: each.source == own)


def to_exchange(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    own = ("exchange", exchange_name(name))
    return _listed(request, _there(context, vhost), lambda each: (each.destination_type, each.destination) == own)


def _between(vhost: Vhost, source: str, kind: str, destination: str) -> list[Binding]:
    ends = exchange_name(source), _kind(kind), exchange_name(destination) if kind == "e" else destination
    return [each for each in all_bindings(vhost) if (each.source, each.destination_type, each.destination) == ends]


def _kind(letter: str) -> str:
    if letter not in KINDS:
        raise HttpError(404, "Not Found", "Object Not Found")
    return KINDS[letter]


def between(context: Managed, request: HttpRequest, vhost: str, source: str, kind: str, destination: str) -> Any:
    found = [binding_form(where, each) for where in _there(context, vhost) for each in _between(where, source, kind, destination)]
    return listed(request, found, *SORTS)


def bind(context: Managed, request: HttpRequest, vhost: str, source: str, kind: str, destination: str) -> Response:
    where, body = vhost_to_change(context, vhost), body_of(request)
    binding = Binding(
        exchange_name(source), exchange_name(destination) if kind == "e" else destination, _kind(kind),
        text_of(body, "routing_key"), table_of(body.get("arguments"), "arguments"),
    )  # fmt: skip
    carry_out(where, steps.Bind(OWN, binding))
    return Response(None, 201, headers=location(destination, properties_key(binding)))


def _one(context: Managed, vhost: str, source: str, kind: str, destination: str, key: str) -> tuple[Vhost, Binding]:
    where = vhost_named(context, vhost)
    for each in _between(where, source, kind, destination):
        if properties_key(each) == key:
            return where, each
    raise missing()


def binding(context: Managed, request: HttpRequest, vhost: str, source: str, kind: str, destination: str, key: str) -> Any:
    return with_columns(request, binding_form(*_one(context, vhost, source, kind, destination, key)))


def unbind(context: Managed, request: HttpRequest, vhost: str, source: str, kind: str, destination: str, key: str) -> Response:
    where, found = _one(context, vhost, source, kind, destination, key)
    carry_out(where, steps.Unbind(OWN, found))
    return DONE


BETWEEN = "bindings/{vhost}/e/{source}/{kind}/{destination}"
ROUTES = [
    Route("GET", "bindings", bindings),
    Route("GET", "bindings/{vhost}", in_vhost),
    Route("GET", BETWEEN, between),
    Route("POST", BETWEEN, bind),
    Route("GET", f"{BETWEEN}/{{key}}", binding),
    Route("DELETE", f"{BETWEEN}/{{key}}", unbind),
    Route("GET", "queues/{vhost}/{name}/bindings", of_queue),
    Route("GET", "exchanges/{vhost}/{name}/bindings/source", from_exchange),
    Route("GET", "exchanges/{vhost}/{name}/bindings/destination", to_exchange),
]
