"""What a course of events leaves to chance: each outcome is tried, one after the other."""

from collections.abc import Iterator, Sequence

DICE = "an exchange that throws dice"
CHANCE = "{}: chance {:g}"  # whose rule


class Draws:
    """The draws of one move: the first ones as `given`, every further one 0. `made`: what was drawn, of how many outcomes, and
    about what. `races`: in how many cases RabbitMQ leaves the outcome open; `told`: what fell out otherwise than usual."""

    def __init__(self, given: tuple[int, ...] = ()) -> None:
        self.given = given
        self.made: list[tuple[int, int, str]] = []
        self.races = 0
        self.told: list[str] = []

    def draw(self, outcomes: int, about: str) -> int:
        """0 to `outcomes` - 1."""
        index = len(self.made)
        drawn = self.given[index] % outcomes if index < len(self.given) else 0
        self.made.append((drawn, outcomes, about))
        return drawn

    def order(self, names: Sequence[str], about: str) -> list[int]:
        left, found = list(range(len(names))), list[int]()
        while left:
            found.append(left.pop(self.draw(len(left), about) if len(left) > 1 else 0))
        self._race(found, names, about)
        return found

    def rotation(self, names: Sequence[str], about: str) -> list[int]:
        first = self.draw(len(names), about)
        found = [(first + index) % len(names) for index in range(len(names))]
        self._race(found, names, about)
        return found

    def _race(self, found: list[int], names: Sequence[str], about: str) -> None:
        self.races += 1
        if found != sorted(found):
            self.told.append(about.format(", then ".join(names[index] for index in found)))

    def others(self) -> Iterator[tuple[int, ...]]:
        """What else could have been drawn, where nobody has said: each combination is met once, by going on from these."""
        for index in range(len(self.given), len(self.made)):
            before = tuple(drawn for drawn, *_ in self.made[:index])
            for other in range(1, self.made[index][1]):
                yield (*before, other)
