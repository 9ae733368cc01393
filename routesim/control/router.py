"""Which function answers which request: tables of paths, in which a name in braces stands for any segment."""

from collections.abc import Callable, Mapping
from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.named_tuples import NamedTuple

Answers = Callable[..., Any]


class Route(NamedTuple):
    """`path`: as in `queues/{vhost}/{name}`. For the description of the interface: `about` says what it does, `query` and `body`
    what it takes there by name, `needs` which of these must be there.
    """

    method: str
    path: str
    do: Answers
    about: str = ""
    query: Mapping[str, str] = {}
    body: Mapping[str, str] = {}
    needs: tuple[str, ...] = ()


class Router:
    """Raises `HttpError` where nothing answers: 404, and 405 where another method would be answered."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self.by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Answers]]]] = {}
        for route in routes:
            path = tuple(route.path.split("/")) if route.path else ()
            there = self.by_length.setdefault(len(path), [])
            known = next((methods for other, methods in there if other == path), None)
            if known is None:
                known = {}
                there.append((path, known))
            known[route.method] = route.do

    def methods(self, path: tuple[str, ...]) -> list[str]:
        """Those that are answered there. Raises `HttpError` (404)."""
        for pattern, methods in self.by_length.get(len(path), ()):
            if _match(pattern, path) is not None:
                return list(methods)
        raise HttpError(404, "Not Found", "Object Not Found")

    def answer(self, context: Any, request: HttpRequest, path: tuple[str, ...]) -> Response:
        """`path`: what is left of that of the request."""
        for pattern, methods in self.by_length.get(len(path), ()):
            named = _match(pattern, path)
            if named is None:
                continue
            do = methods.get("GET" if request.method == "HEAD" else request.method)
            if do is None:
                allowed = ", ".join(sorted(methods))
                raise HttpError(
                    405, f"{request.method} is not answered here, but {allowed}", "method_not_allowed", {"allow": allowed}
                )
            found = do(context, request, **named)
            return found if isinstance(found, Response) else Response(found)
        raise HttpError(404, "Not Found", "Object Not Found")


def _match(pattern: tuple[str, ...], path: tuple[str, ...]) -> Mapping[str, str] | None:
    named = {}
    for expected, given in zip(pattern, path, strict=True):
        if expected[:1] == "{":
            named[expected[1:-1]] = given
        elif expected != given:
            return None
    return named
