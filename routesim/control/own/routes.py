"""All that routesim's own API answers."""

from routesim.control.own import events, failing, looking, time
from routesim.control.router import Route

OWN: list[Route] = [
    *looking.ROUTES,
    *time.ROUTES,
    *events.ROUTES,
    *failing.ROUTES,
]
