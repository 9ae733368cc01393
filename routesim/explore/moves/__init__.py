"""What may happen next in a state, failures among it, and what comes of it."""

from routesim.explore.moves.acting import job_of
from routesim.explore.moves.move import Move
from routesim.explore.moves.table import make, moves, outcome, said

__all__ = ["Move", "job_of", "make", "moves", "outcome", "said"]
