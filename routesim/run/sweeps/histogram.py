"""How often each whole number came up, in bounded memory."""

from collections import Counter

EXACT = 10_000  # so many different values are told apart


class Histogram:
    """Exact for up to `EXACT` different values; past that, neighbours are counted together in steps of 2, 4, 8 …

    What it says does not depend on the order in which values came, nor on how they were shared out before `merge`: the
    step is the least with which all values fit. The least and greatest value and the number of values are always exact.
    """

    __slots__ = ("bits", "counts", "greatest", "least", "total")

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()  # value >> bits -> how often
        self.bits = 0
        self.total = 0
        self.least = 0
        self.greatest = 0

    @property
    def step(self) -> int:
        """1: exact; else values are known to the next lower multiple of this."""
        return 1 << self.bits

    def add(self, value: int, times: int = 1) -> None:
        self._note(value, value, times)
        self.counts[value >> self.bits] += times
        if len(self.counts) > EXACT:
            self._coarsen(self.bits + 1)

    def merge(self, other: "Histogram") -> None:
        if not other.total:
            return
        self._note(other.least, other.greatest, other.total)
        if other.bits > self.bits:
            self._coarsen(other.bits)
        shift = self.bits - other.bits
        for value, times in other.counts.items():
            self.counts[value >> shift] += times
        if len(self.counts) > EXACT:
            self._coarsen(self.bits + 1)

    def at(self, share: float) -> int:
        """The least value that so large a share of all values does not pass (nearest rank); 0.5: the median."""
        wanted = max(1, -(-self.total * round(share * 1000) // 1000))
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= wanted:
                return min(max(value << self.bits, self.least), self.greatest)
        return self.greatest

    def _note(self, least: int, greatest: int, times: int) -> None:
        self.least = min(self.least, least) if self.total else least
        self.greatest = max(self.greatest, greatest) if self.total else greatest
        self.total += times

    def _coarsen(self, bits: int) -> None:
        while bits > self.bits or len(self.counts) > EXACT:
            found: Counter[int] = Counter()
            for value, times in self.counts.items():
                found[value >> 1] += times
            self.counts = found
            self.bits += 1
