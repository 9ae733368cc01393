"""Seeds as text: `7`, `1..1000`, `1..10,20`."""

from collections.abc import Iterator


class Seeds:
    """Ranges from the least to the greatest, none touching another; each seed counts once, however often it was named."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: tuple[range, ...]) -> None:
        self.ranges = ranges

    def __len__(self) -> int:
        return sum(len(item) for item in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for item in self.ranges:
            yield from item

    def __str__(self) -> str:
        return ",".join(str(item[0]) if len(item) == 1 else f"{item[0]}..{item[-1]}" for item in self.ranges)


def seeds_of(text: str) -> Seeds:
    """Raises `ValueError` with what is wrong and how to put it right."""
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        first, dots, last = (piece.strip() for piece in part.partition(".."))
        if not (_is_number(first) and (not dots or _is_number(last))):
            raise ValueError(f"'{part.strip()}' is no seed and no range of seeds; write 7, 1..1000 or 1..10,20")
        low, high = int(first), int(last if dots else first)
        if high < low:
            raise ValueError(f"'{part.strip()}' runs backwards; write {high}..{low}")
        found.append((low, high))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return Seeds(tuple(range(low, high + 1) for low, high in merged))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
