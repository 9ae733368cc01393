"""How often Python looks for garbage. Where a great deal is made that is none, seldom: a look takes as long as there is much."""

import gc

AFTER = 50_000  # objects


def look_seldom(after: int = AFTER, *older: int) -> tuple[int, int, int]:
    """Raises the thresholds of the collector, and lowers none; where it is off it stays off. Returns those that were, for
    `gc.set_threshold`."""
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(*map(max, before, (after, *older)))
    return before
