"""Who asks a running server over HTTP: the commands `routesim serve advance`, `fail`, `snapshot` and `why`."""

import http.client
import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from routesim.control.access import TOKEN
from routesim.named_tuples import NamedTuple

PATIENCE_S = 60.0


class NoServer(Exception):
    """Nobody answers there, or somebody else does; the text is a sentence."""


class NotDone(Exception):
    """The server does not do it; the text is its reason."""


class ServerAddress(NamedTuple):
    host: str
    port: int
    token: str


def address_of(url: str) -> ServerAddress:
    """As the server said it: `http://127.0.0.1:15672/?token=…`. Raises ValueError."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"a server is called http://HOST:PORT/?token=TOKEN, as it says when it begins, not '{url}'")
    return ServerAddress(parts.hostname, parts.port or 80, parse_qs(parts.query).get("token", [""])[0])


def ask(server: ServerAddress, method: str, path: tuple[str, ...], body: Any = None, query: str = "") -> Any:
    """What the server's own API answers. Raises `NoServer`, `NotDone`."""
    target = "/".join(["/api/routesim", *(quote(segment, safe="") for segment in path)]) + query
    where = f"{server.host}:{server.port}"
    connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE_S)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, target, data, {TOKEN: server.token, "content-type": "application/json"})
        response = connection.getresponse()
        text = response.read()
    except TimeoutError:
        raise NoServer(f"the server at {where} does not answer") from None
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise NoServer(f"no routesim server answers at {where}: {reason}") from None
    finally:
        connection.close()
    try:
        found = json.loads(text)
    except ValueError:
        raise NoServer(f"who answers at {where} is no routesim server") from None
    if response.status < 300:
        return found
    reason = found.get("reason") if isinstance(found, dict) else None
    if not isinstance(reason, str) or reason == "Not Found":
        raise NoServer(f"who answers at {where} is no routesim server")
    raise NotDone(reason)
