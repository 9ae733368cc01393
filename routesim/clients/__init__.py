"""How consumers behave: deliveries in, steps out."""

from routesim.clients.worker import Worker

__all__ = ["Worker"]
