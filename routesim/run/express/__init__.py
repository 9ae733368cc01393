"""The fast way through a run, for what most long runs consist of; see `express`. Nothing else knows what is in here."""

from routesim.run.express.express import Express, express_for

__all__ = ["Express", "express_for"]
