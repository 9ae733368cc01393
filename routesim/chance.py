"""Numbers drawn by chance, each a function of a seed and how many have been drawn before (splitmix64)."""

from functools import cache
from math import ceil

MASK = 0xFFFFFFFFFFFFFFFF
COUNTER = 0xBF58476D1CE4E5B9
SCALE = 2.0**-53
VALUE_BITS, UNUSED_BITS = 64, 11
LANE_BITS = 128  # have room for the product of two numbers of 64 bits


def uniform(seed: int, counter: int, stream: int = 0) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    value = (seed * 0x9E3779B97F4A7C15 + counter * COUNTER + stream * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & MASK
    for _ in range(2):
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
        value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
        value ^= value >> 31
    return (value >> 11) * SCALE


class DrawnAhead:
    """The same numbers for so many counters in a row: worked out in one long number, which has a lane for each."""

    def __init__(self, seed: int, counter: int, count: int, stream: int = 0) -> None:
        self.count = count
        ones, steps, mask = _lanes(count)
        begin = (seed * 0x9E3779B97F4A7C15 + counter * COUNTER + stream * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & MASK
        lanes = begin * ones + steps & mask
        for _ in range(2):  # what a shift brings in from the next lane is masked away
            lanes = (lanes ^ lanes >> 30 & mask) * 0xBF58476D1CE4E5B9 & mask
            lanes = (lanes ^ lanes >> 27 & mask) * 0x94D049BB133111EB & mask
            lanes ^= lanes >> 31 & mask
        self.lanes = lanes

    def not_below(self, chance: float) -> bytes:
        """Of each number: 0 if it is below `chance`, else 1. A bit above its lane is borrowed from if it is."""
        ones, _, _ = _lanes(self.count)
        least = ceil(chance / SCALE) << UNUSED_BITS
        compared = self.lanes + (ones << VALUE_BITS) - least * ones
        return compared.to_bytes(self.count * LANE_BITS // 8, "little")[VALUE_BITS // 8 :: LANE_BITS // 8]


@cache
def _lanes(count: int) -> tuple[int, int, int]:
    """Of so many lanes: 1 in each, what the counter adds to each, and what is kept of each."""
    ones = sum(1 << LANE_BITS * lane for lane in range(count))
    steps = sum(lane * COUNTER << LANE_BITS * lane for lane in range(count))
    return ones, steps, ones * MASK
