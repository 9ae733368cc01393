"""All that routesim's own API answers."""

from typing import Any

from routesim.control.http_messages import HttpRequest
from routesim.control.own import events, failing, looking, recordings, time
from routesim.control.own.openapi import description
from routesim.control.router import Route


def described(context: Any, request: HttpRequest) -> dict[str, Any]:
    return description(OWN)


OWN: list[Route] = [
    *looking.ROUTES,
    *time.ROUTES,
    *events.ROUTES,
    *failing.ROUTES,
    *recordings.ROUTES,
    Route("GET", "openapi.json", described, "This description."),
]
