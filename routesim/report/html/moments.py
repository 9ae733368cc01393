"""A moment of a run: what its page can be stepped through."""

from routesim.graph import EdgeKey, Key
from routesim.named_tuples import NamedTuple
from routesim.report.trace.rows import Row


class Frame(NamedTuple):
    """`row` is that of the trace; None: step number `step` (from 0) begins, as told in `text`. `back`: the way is gone the
    other way round. `depths` (queue, ready, unacked) and `holds` (consumer, text) are what is different from now on. `stage`: it
    is of what workers declare and say to each other, and folded away at first."""

    at_ms: int
    row: Row | None
    step: int
    text: str
    ways: tuple[EdgeKey, ...]
    back: bool
    keys: tuple[Key, ...]
    depths: dict[str, tuple[int, int]]
    holds: dict[str, str]
    stage: bool = False
