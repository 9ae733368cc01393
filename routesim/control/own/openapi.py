"""The description of routesim's own API, as OpenAPI has it: made from the tables that answer."""

import re
from collections.abc import Iterable
from typing import Any

from routesim import __version__
from routesim.control.access import READS, TOKEN
from routesim.control.router import Route

BASE = "/api/routesim"
NAMED = re.compile(r"{(\w+)}")


def description(routes: Iterable[Route]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/{route.path}" if route.path else "/", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "routesim serve", "version": __version__, "description": "What a served broker can be asked and told."},
        "servers": [{"url": BASE}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": TOKEN}}},
    }


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": route.about,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in NAMED.findall(route.path)),
            *(
                {"name": name, "in": "query", "required": name in route.needs, "description": about, "schema": {"type": "string"}}
                for name, about in route.query.items()
            ),
        ],
        "responses": {"200": {"description": "as asked"}, "default": {"description": "an object with error and reason"}},
    }
    if route.method not in READS:
        found["security"] = [{"token": []}]
    if route.body:
        properties = {name: {"description": about} for name, about in route.body.items()}
        schema = {"type": "object", "properties": properties, "required": list(route.needs), "additionalProperties": False}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found
