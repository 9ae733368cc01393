"""Numbers drawn by chance, each a function of a seed and how many have been drawn before (splitmix64)."""

from functools import cache
from struct import Struct

MASK = 0xFFFFFFFFFFFFFFFF
COUNTER = 0xBF58476D1CE4E5B9
SCALE = 2.0**-53
LANE_BITS = 128  # have room for the product of two numbers of 64 bits


def uniform(seed: int, counter: int, stream: int = 0) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    value = (seed * 0x9E3779B97F4A7C15 + counter * COUNTER + stream * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & MASK
    for _ in range(2):
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
        value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
        value ^= value >> 31
    return (value >> 11) * SCALE


def uniforms(seed: int, counter: int, count: int, stream: int = 0) -> list[float]:
    """The same for so many counters in a row, from that one on: worked out in one long number, which has a lane for each."""
    ones, steps, mask, numbers = _lanes(count)
    begin = (seed * 0x9E3779B97F4A7C15 + counter * COUNTER + stream * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & MASK
    lanes = begin * ones + steps & mask
    for _ in range(2):  # what a shift brings in from the next lane is masked away
        lanes = (lanes ^ lanes >> 30 & mask) * 0xBF58476D1CE4E5B9 & mask
        lanes = (lanes ^ lanes >> 27 & mask) * 0x94D049BB133111EB & mask
        lanes ^= lanes >> 31 & mask
    return [(value >> 11) * SCALE for value in numbers.unpack(lanes.to_bytes(numbers.size, "little"))]


@cache
def _lanes(count: int) -> tuple[int, int, int, Struct]:
    """Of so many lanes: 1 in each, what the counter adds to each, what is kept of each, and how they are read."""
    ones = sum(1 << LANE_BITS * lane for lane in range(count))
    steps = sum(lane * COUNTER << LANE_BITS * lane for lane in range(count))
    return ones, steps, ones * MASK, Struct("<" + "Q8x" * count)
