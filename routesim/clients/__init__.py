"""How consumers behave, and Celery's worker processes: deliveries in, steps out."""

from routesim.clients.process import After, Process, Shared, Soon
from routesim.clients.worker import Worker

__all__ = ["After", "Process", "Shared", "Soon", "Worker"]
