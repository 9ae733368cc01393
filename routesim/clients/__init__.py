"""How consumers behave, and Celery's worker processes (`process`): deliveries in, steps out."""

from routesim.clients.scripted_consumer import ScriptedConsumer

__all__ = ["ScriptedConsumer"]
