"""Ids of messages: which are taken, kept in ranges so that a publish of a million takes no million names."""

import re
from bisect import bisect_right
from math import inf


class Ids:
    """The ids of a scenario's messages; `open_prefixes` are those that consumers number as they publish."""

    def __init__(self) -> None:
        self.single: set[str] = set()
        self.numbers: dict[str, set[int]] = {}  # the single ids that are a prefix and a number
        self.ranges: dict[str, list[tuple[int, int]]] = {}  # in order; those that touch one before them are one
        self.open_prefixes: set[str] = set()

    def add(self, name: str) -> bool:
        """False when the id is taken."""
        fresh = name not in self
        self.single.add(name)
        split = _split(name)
        if split is not None:
            self.numbers.setdefault(split[0], set()).add(split[1])
        return fresh

    def add_range(self, prefix: str, first: int, count: int) -> bool:
        """`prefix` with each number from `first` on; False when one of them is taken."""
        last = first + count - 1
        ranges, singles = self.ranges.setdefault(prefix, []), self.numbers.get(prefix, set())
        after = bisect_right(ranges, (last, inf))
        taken = prefix in self.open_prefixes or (after > 0 and ranges[after - 1][1] >= first)
        if len(singles) < count:
            taken = taken or any(first <= number <= last for number in singles)
        else:
            taken = taken or any(number in singles for number in range(first, last + 1))
        begins, ends, before = first, last, after
        while before and ranges[before - 1][1] + 1 >= first:
            before -= 1
            begins, ends = min(begins, ranges[before][0]), max(ends, ranges[before][1])
        ranges[before:after] = [(begins, ends)]
        return not taken

    def __contains__(self, name: str) -> bool:
        if name in self.single:
            return True
        split = _split(name)
        if split is None:
            return False
        prefix, number = split
        ranges = self.ranges.get(prefix, [])
        after = bisect_right(ranges, (number, inf))
        return prefix in self.open_prefixes or (after > 0 and ranges[after - 1][1] >= number)

    def some(self) -> list[str]:
        """Names to suggest from."""
        names = sorted(self.single)[:200]
        for prefix, ranges in self.ranges.items():
            for low, high in ranges[:50]:
                names.extend(f"{prefix}{number}" for number in range(low, min(high, low + 20) + 1))
        return names


def _split(name: str) -> tuple[str, int] | None:
    match = re.fullmatch(r"(.*?)(0|[1-9][0-9]{0,17})", name, re.ASCII | re.DOTALL)
    return (match[1], int(match[2])) if match else None
