"""What the functions of the management API have in common: what a body may hold, how errors are answered."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote_plus

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.listing import depth_of
from routesim.control.management.stats import Stats
from routesim.named_tuples import NamedTuple
from routesim.replies import AmqpError
from routesim.serve.server import Server
from routesim.serve.users import GUEST
from routesim.serve.vhosts import Vhost
from routesim.steps import Step
from routesim.values import INTEGER_RANGES, Table, Typed, Value

NODE, CLUSTER = "routesim@localhost", "routesim"
FOUR, FOUR_THREE = "4.0.0", "4.3.0"
LONGEST_NAME = 255  # octets
DEEPEST = 64  # levels of a body
CREATED, DONE = Response(None, 201), Response(None, 204)


class VhostTold(NamedTuple):
    """What is kept of a virtual host for whoever asks, and has no effect."""

    description: str = ""
    tags: tuple[str, ...] = ()
    tracing: bool = False


class Managed(Protocol):
    """What the API looks at. `user`: who asks. `permissions`: those that were set, by user and virtual host, None where they were
    taken away; nobody enforces them."""

    server: Server
    stats: Stats
    user: str
    cluster: str
    told: dict[str, VhostTold]
    permissions: dict[tuple[str, str], dict[str, str] | None]

    def at_least(self, version: str) -> bool:
        """Whether the server is of that version, or of a later one."""

    def welcome(self, vhost: Vhost) -> None:
        """A virtual host is new: what happens there is heard."""

    def forget(self, vhost: str) -> None:
        """A virtual host is gone."""


# Errors as RabbitMQ answers them -------------------------------------------------------------------------------------


def missing() -> HttpError:
    return HttpError(404, "Not Found", "Object Not Found")


def not_found(reason: str) -> HttpError:
    return HttpError(404, reason, "not_found")


def reason_of(refused: AmqpError) -> str:
    """The text without the name of its code."""
    name, dash, text = refused.text.partition(" - ")
    return text if dash else name


def http_error(refused: AmqpError) -> HttpError:
    """What a client is told of what the engine refuses."""
    if refused.code == 403:
        return HttpError(401, "Access refused.", "not_authorised")
    if refused.code == 404:
        return not_found(reason_of(refused))
    return HttpError(400, reason_of(refused))


def first_user(context: Managed) -> str:
    """As whom everything is done that is not known to be done by somebody."""
    return next(iter(context.server.users), GUEST)


# What is asked for ---------------------------------------------------------------------------------------------------


def vhost_named(context: Managed, name: str, error: Callable[[], HttpError] = missing) -> Vhost:
    """Raises `HttpError`."""
    found = context.server.vhosts.get(name)
    if found is None:
        raise error()
    return found


def vhost_to_change(context: Managed, name: str) -> Vhost:
    """Raises `HttpError`, in the words for requests that change something."""
    return vhost_named(context, name, lambda: not_found("vhost_not_found"))


def carry_out(vhost: Vhost, step: Step) -> None:
    """Raises `HttpError` where the engine refuses."""
    refused = vhost.command(step)
    if refused is not None:
        raise http_error(refused)


def checked_name(kind: str, name: str) -> str:
    size = len(name.encode())
    if size > LONGEST_NAME:
        raise HttpError(400, f"{kind} should be less than {LONGEST_NAME} bytes, actually was {size}\n")
    return name


def body_of(request: HttpRequest, error: str = "not_json") -> dict[str, Any]:
    """The object that the body is; nothing is an empty one. Raises `HttpError`."""
    if not request.body.strip():
        return {}
    try:
        found = json.loads(request.body, parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise HttpError(400, error) from None
    if not isinstance(found, dict):
        raise HttpError(400, error)
    if depth_of(found) > DEEPEST:
        raise HttpError(400, f"more than {DEEPEST} levels of nesting")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def required(body: Mapping[str, Any], *names: str) -> list[Any]:
    """The values of these keys. Raises `HttpError` where some are missing, in RabbitMQ's form."""
    lacking = [f"{{key_missing,{name}}}" for name in names if name not in body]
    if lacking:
        raise HttpError(400, f"[{','.join(lacking)}]")
    return [body[name] for name in names]


def flag(body: Mapping[str, Any], name: str) -> bool:
    """False where it is not given. Raises `HttpError`."""
    value = body.get(name, False)
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise HttpError(400, ["not_boolean", value])


def text_of(body: Mapping[str, Any], name: str, default: str = "") -> str:
    """Raises `HttpError`."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise HttpError(400, f"{name} is a text")
    return value


def table_of(value: Any, name: str) -> Table:
    """An object of JSON as RabbitMQ reads it: every integer is long. Raises `HttpError`."""
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise HttpError(400, f"{name} is an object")
    return {_key(key): _value(item) for key, item in value.items()}


def _key(key: str) -> str:
    if len(key.encode()) > LONGEST_NAME:
        raise HttpError(400, f"the names in a table have {LONGEST_NAME} bytes at most")
    return key


def _value(value: Any) -> Value:
    if value is None:
        raise HttpError(400, "null_not_allowed")
    if isinstance(value, dict):
        return table_of(value, "")
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = INTEGER_RANGES["long"]
        if not low <= value <= high:
            raise HttpError(400, "AMQP has no integers beyond 64 bits")
        return Typed("long", value)
    return value


def location(*names: str) -> dict[str, str]:
    """Where what was made is found, from the address that was asked."""
    return {"location": "/".join(quote_plus(name, safe="~") for name in names)}
