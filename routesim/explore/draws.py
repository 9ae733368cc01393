"""What a course of events leaves to chance: each outcome is tried, one after the other."""

from collections.abc import Iterator


class Draws:
    """The draws of one move: the first ones as `given`, every further one 0. `made`: what was drawn, of how many outcomes, and
    about what."""

    def __init__(self, given: tuple[int, ...] = ()) -> None:
        self.given = given
        self.made: list[tuple[int, int, str]] = []

    def draw(self, outcomes: int, about: str) -> int:
        """0 to `outcomes` - 1."""
        index = len(self.made)
        drawn = self.given[index] % outcomes if index < len(self.given) else 0
        self.made.append((drawn, outcomes, about))
        return drawn

    def others(self) -> Iterator[tuple[int, ...]]:
        """What else could have been drawn, where nobody has said: each combination is met once, by going on from these."""
        for index in range(len(self.given), len(self.made)):
            before = tuple(drawn for drawn, *_ in self.made[:index])
            for other in range(1, self.made[index][1]):
                yield (*before, other)
