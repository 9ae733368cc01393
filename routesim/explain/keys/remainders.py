"""What is left of a set of routing keys after its first word: the walk's states, each kept once and told by a number.

A set is a pattern, or built of others by and, or, not. What is left of it after a word is such a set again (Brzozowski's
derivatives, 1964): `*.b` leaves `b` after any word, and `a.# and *.b` leaves nothing after `b`, whatever the second pattern
still waits for. Parts that are decided drop out at once, so that the sets stay as small as what is still open; that is what
keeps ladders of exchanges, where every step cuts the same keys again, from growing with all the ways down.
"""

from collections.abc import Iterable, Iterator

from routesim.named_tuples import NamedTuple

ONE, MANY = 0, 1  # in a pattern: `*` and `#`; every other part is a word, of type str
Pattern = tuple[str | int, ...]

MAX_STEPS = 400_000  # of one question: some tenths of a second. A step is one part of one set, followed by one word
MAX_TOGETHER = 4_000_000  # of questions that share what they find


class TooManyStates(Exception):
    """The question is larger than what may be spent on it."""


class AfterWord(NamedTuple):
    """What is left after a word: after those named, after any other."""

    words: dict[str, int]
    other: int


class _Set(NamedTuple):
    how: str  # pattern, and, or, not
    parts: frozenset[int] = frozenset()
    pattern: Pattern = ()


NOTHING, EVERYTHING = 0, 1  # the numbers of these two sets
OF = {"or": (NOTHING, EVERYTHING), "and": (EVERYTHING, NOTHING)}  # what changes nothing in a combination, and what decides it


class Remainders:
    """The sets that have come up in the questions that share it. Every method may raise `TooManyStates`."""

    def __init__(self) -> None:
        self.left_together = MAX_TOGETHER
        self.left = MAX_STEPS
        self.sets: list[_Set] = []
        self.ends: list[bool] = []  # by number, whether the key that ends here is in the set
        self._numbers: dict[_Set, int] = {}
        self._patterns: dict[Pattern, int] = {}
        self._after: dict[int, AfterWord] = {}
        self._number(_Set("or"), False)
        self._number(_Set("and"), True)

    def _spend(self, steps: int) -> None:
        self.left -= steps
        self.left_together -= steps
        if self.left < 0 or self.left_together < 0:
            raise TooManyStates

    def ask(self) -> None:
        """Another question begins."""
        self.left = MAX_STEPS

    def _number(self, item: _Set, ends: bool) -> int:
        number = self._numbers.setdefault(item, len(self.sets))
        if number == len(self.sets):
            self.sets.append(item)
            self.ends.append(ends)
        return number

    # Sets --------------------------------------------------------------------------------------------------------------

    def pattern(self, pattern: Pattern) -> int:
        self._spend(1)
        found = self._patterns.get(pattern)
        if found is None:
            every = pattern and all(part == MANY for part in pattern)
            found = EVERYTHING if every else self._number(_Set("pattern", pattern=pattern), not pattern)
            self._patterns[pattern] = found
        return found

    def complement(self, number: int) -> int:
        if number in (NOTHING, EVERYTHING):
            return EVERYTHING if number == NOTHING else NOTHING
        item = self.sets[number]
        if item.how == "not":
            return next(iter(item.parts))
        return self._number(_Set("not", frozenset((number,))), not self.ends[number])

    def combined(self, how: str, parts: Iterable[int]) -> int:
        """All (`and`) or any (`or`) of the sets."""
        neutral, decisive = OF[how]
        found: set[int] = set()
        steps = 1
        for number in parts:
            if number == decisive:
                return decisive
            item = self.sets[number]
            inner = item.parts if item.how == how else (number,)
            steps += len(inner)
            found.update(inner)
        self._spend(steps)
        found.discard(neutral)
        if any(self.sets[number].how == "not" and self.sets[number].parts <= found for number in found):
            return decisive
        if len(found) == 1:
            return found.pop()
        ends = (self.ends[number] for number in found)
        return self._number(_Set(how, frozenset(found)), any(ends) if how == "or" else all(ends))

    # Words -------------------------------------------------------------------------------------------------------------

    def steps(self, state: tuple[int, ...], fresh: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Where each word leads: `fresh` for all that no set waits for here, then those that one does."""
        every = [self.after(number) for number in state]
        others = [after.other for after in every]
        self._spend(len(state))
        yield fresh, tuple(others)
        waiting: dict[str, list[int]] = {}
        for place, after in enumerate(every):
            for word in after.words:
                waiting.setdefault(word, []).append(place)
        for word in sorted(waiting):
            following = list(others)
            for place in waiting[word]:
                following[place] = every[place].words[word]
            self._spend(len(waiting[word]))
            yield word, tuple(following)

    def after(self, number: int) -> AfterWord:
        found = self._after.get(number)
        if found is None:
            item = self.sets[number]
            if item.how == "pattern":
                found = self._after_pattern(number, item.pattern)
            elif item.how == "not":
                inner = self.after(next(iter(item.parts)))
                found = AfterWord(
                    {word: self.complement(left) for word, left in inner.words.items()}, self.complement(inner.other)
                )
            else:
                found = self._after_combined(item)
            self._after[number] = found
        return found

    def _after_pattern(self, number: int, pattern: Pattern) -> AfterWord:
        if not pattern:
            return AfterWord({}, NOTHING)
        first, rest = pattern[0], self.pattern(pattern[1:])
        if isinstance(first, str):
            return AfterWord({first: rest}, NOTHING)
        if first == ONE:
            return AfterWord({}, rest)
        behind = self.after(rest)  # `#` takes the word, or stands for none
        words = {word: self.combined("or", (number, left)) for word, left in behind.words.items()}
        return AfterWord(words, self.combined("or", (number, behind.other)))

    def _after_combined(self, item: _Set) -> AfterWord:
        neutral = OF[item.how][0]
        waiting: dict[str, dict[int, int]] = {}
        others: dict[int, int] = {}  # of the parts, where another word changes the combination
        for part in sorted(item.parts):
            after = self.after(part)
            if after.other != neutral:
                others[part] = after.other
            for word, left in after.words.items():
                waiting.setdefault(word, {})[part] = left
        self._spend(len(item.parts))
        words = {word: self.combined(item.how, ({**others, **given}).values()) for word, given in waiting.items()}
        return AfterWord(words, self.combined(item.how, others.values()))
