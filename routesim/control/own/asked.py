"""What the functions of the interface have in common: the server that they look at, and how a request is read."""

from collections.abc import Callable
from typing import Any, Protocol

from routesim.control.http_messages import HttpError
from routesim.control.hub import Hub
from routesim.durations import both_readings, parse_duration
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost


class Context(Protocol):
    server: Server
    hub: Hub

    def follow(self) -> None:
        """Hear what happens in every virtual host."""


def vhost_named(context: Context, name: str) -> Vhost:
    """Raises `HttpError`."""
    found = context.server.vhosts.get(name)
    if found is None:
        raise HttpError(404, f"no vhost is called '{name}'; there are {', '.join(context.server.vhosts) or 'none'}", "not_found")
    return found


def duration_of(value: Any, what: str) -> int:
    """In ms. Raises `HttpError` for what has no unit."""
    text = value if isinstance(value, str) else str(value)
    ms = parse_duration(text) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if ms is not None and (readings := both_readings(text)):
        raise HttpError(400, f"{what}: {text} has no unit: {readings}?")
    if ms is None:
        raise HttpError(400, f"{what} is a duration such as '5s', '250ms' or '1d', not {value!r}")
    return ms


def only(body: dict[str, Any], *names: str) -> None:
    """Raises `HttpError` for what the body of a request does not take."""
    unknown = [name for name in body if name not in names]
    if unknown:
        raise HttpError(400, f"'{unknown[0]}' is not known here; there are {', '.join(names)}")


def refused(act: Callable[[], Any]) -> Any:
    """What `act` comes to; raises `HttpError` where it cannot be done."""
    try:
        return act()
    except LookupError as problem:
        raise HttpError(404, str(problem.args[0]), "not_found") from None
    except ValueError as problem:
        raise HttpError(400, str(problem)) from None
