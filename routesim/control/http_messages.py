"""Requests and responses of HTTP, without a socket."""

import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from routesim.named_tuples import NamedTuple

JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"


class HttpError(Exception):
    """What is wrong with a request: a sentence, as a rule; None: it is answered without a body. `error` is RabbitMQ's word for
    the kind."""

    def __init__(self, status: int, reason: Any, error: str = "bad_request", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.error = error
        self.headers = headers or {}


class HttpRequest(NamedTuple):
    """`path`: its segments, decoded. `headers` by their names in small letters; `query`: the last value of each name."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body, which is an object; nothing is an empty one. Raises `HttpError`."""
        try:
            found = json.loads(self.body) if self.body.strip() else {}
        except (ValueError, RecursionError) as problem:
            raise HttpError(400, f"the body is no JSON: {problem}") from None
        if not isinstance(found, dict):
            raise HttpError(400, "the body is no object")
        return found


class Unending(NamedTuple):
    """A response without an end: `begin` is given what writes a piece of it, and returns what is to be called when it is over."""

    begin: Any


class Response(NamedTuple):
    """`content`: what JSON can say, or bytes or text of another `kind`; None: nothing."""

    content: Any = None
    status: int = 200
    kind: str = JSON
    headers: Mapping[str, str] = {}

    def body(self) -> bytes:
        if self.content is None:
            return b""
        if isinstance(self.content, bytes):
            return self.content
        if isinstance(self.content, str) and self.kind != JSON:
            return self.content.encode("utf-8", "surrogateescape")
        return json.dumps(self.content).encode()


def request_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpRequest:
    """Raises `HttpError` for a target that is none."""
    try:
        parts = urlsplit(target)
        path = tuple(unquote(segment, errors="strict") for segment in parts.path.split("/")[1:])
        query = dict(parse_qsl(parts.query, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise HttpError(400, "the address is not encoded as addresses are") from None
    return HttpRequest(method, path, query, headers, body)


def response_of(problem: HttpError) -> Response:
    content = None if problem.reason is None else {"error": problem.error, "reason": problem.reason}
    return Response(content, problem.status, headers=problem.headers)


def fault_response(request: HttpRequest, problem: Exception) -> Response:
    """What is answered where this program is at fault: the server says it in a line, and goes on."""
    where = f"{request.method} /{'/'.join(request.path)}"
    sys.stderr.write(f"error: {ascii(f'{where}: {type(problem).__name__}: {problem}')[:500]}\n")
    return response_of(HttpError(500, "this is a fault of routesim", "internal_error"))
