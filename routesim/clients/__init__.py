"""How consumers behave, and Celery's worker processes (`process`): deliveries in, steps out."""

from routesim.clients.worker import ScriptedConsumer

__all__ = ["ScriptedConsumer"]
