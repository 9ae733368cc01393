"""All that the management API answers, in a version of RabbitMQ."""

from routesim.control.management import (
    bindings,
    channels,
    connections,
    definitions,
    exchanges,
    health,
    overview,
    payloads,
    permissions,
    policies,
    queues,
    vhosts,
)
from routesim.control.router import Route
from routesim.versions import Rules

PARTS = (
    overview, health, vhosts, permissions, connections, channels, queues, exchanges, bindings, payloads, policies, definitions,
)  # fmt: skip
SINCE = {**health.SINCE, **overview.SINCE}
UNTIL = {**health.UNTIL, **overview.UNTIL}
ALL: list[Route] = [route for part in PARTS for route in part.ROUTES]


def routes_of(rules: Rules) -> list[Route]:
    """Those that this version has."""
    return [
        route for route in ALL
        if rules.is_at_least(SINCE.get(route.path, "0.0.0"))
        and not (route.path in UNTIL and rules.is_at_least(UNTIL[route.path]))
    ]  # fmt: skip
