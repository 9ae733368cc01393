"""Which of the processes of a search looks at what."""

from collections.abc import Iterable, Sequence

UNEVEN = 1.02  # how much more than its share a process may have


def shared_out(had: Sequence[int], count: int) -> list[int]:
    """Who is to look at each state. `had`: who has it, as bits; 0: nobody. It is one of those, unless that is more than its share
    for one of them: then another takes over its first ones, from which most new states are met, so that it has its share from
    there on. Those that nobody has are dealt out one by one, for the same reason."""
    most = int(len(had) / count * UNEVEN) + 1
    loads, found = [0] * count, [-1] * len(had)

    def give(place: int, to: Iterable[int]) -> None:
        found[place] = min(to, key=loads.__getitem__)
        loads[found[place]] += 1

    several = []
    for place, bits in enumerate(had):
        if not bits:
            give(place, (place % count,))
        elif bits & (bits - 1):
            several.append(place)
        else:
            give(place, (bits.bit_length() - 1,))
    for place in several:
        give(place, [who for who in range(count) if had[place] >> who & 1])
    for place in range(len(had)):
        if loads[found[place]] > most:
            loads[found[place]] -= 1
            give(place, range(count))
    return found
