"""The routes of an app: what is written down, and what its routers say of each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from routesim.celery_app.child.answering import last_line
from routesim.celery_app.child.plain_values import plain


def routers(app: Any) -> list[Any]:
    given = app.conf.task_routes
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def routes(app: Any) -> Iterator[dict[str, Any]]:
    """Each router: its entries in order, and what of it only code can answer: a function, regular expressions."""
    for router in routers(app):
        if not isinstance(router, (Mapping, list, tuple)):
            name = router if isinstance(router, str) else getattr(router, "__qualname__", type(router).__name__)
            yield {"entries": [], "code": [str(name)]}
            continue
        pairs = list(router.items() if isinstance(router, Mapping) else router)
        yield {
            "entries": [[str(key), route_of(value)] for key, value in pairs if not hasattr(key, "pattern")],
            "code": [str(key.pattern) for key, _ in pairs if hasattr(key, "pattern")],
        }


def route_of(route: Any) -> dict[str, Any]:
    try:
        given = dict(route)
    except (ValueError, TypeError):
        given = {"queue": route}
    return {str(key): plain(value) for key, value in given.items()}


def asked(app: Any, tasks: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """What all the routers say of each task."""
    router = app.amqp.Router()
    answers: dict[str, Any] = {}
    if not routers(app):
        return answers
    for name, task in tasks.items():
        try:
            route = router.lookup_route(name, (), {}, {}, task)
        except Exception as problem:
            notes.append(f"the route of {name}: its router raised {last_line(problem)}")
            continue
        if route is not None:
            answers[name] = route_of(route)
    return answers
