"""Sets of routing keys, held as what they are built from: patterns, and, or, not. Exact, and each with a witness.

A topic pattern is a small automaton over words. Whether a combination of patterns has any key at all is found by walking
all its automata at once, over the words that occur in them and one fresh word that stands for every other; the first key
that is met is a shortest one. Nothing here knows of brokers or exchanges.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from routesim.exchanges.topic import words_of

ONE, MANY = 0, 1  # in a pattern: `*` and `#`; every other part is a word, of type str
Pattern = tuple[str | int, ...]

MOST_STATES = 20_000
FRESH = ("other", "another", "something", "anything", "unknown")


class TooManyStates(Exception):
    """The patterns together are too large to be walked."""


class Keys(NamedTuple):
    """A set of routing keys. `how` is `pattern`, `and`, `or` or `not`; combine with `&`, `|` and `~`."""

    how: str
    parts: tuple["Keys", ...] = ()
    pattern: Pattern = ()

    def __and__(self, other: "Keys") -> "Keys":
        return all_of((self, other))

    def __or__(self, other: "Keys") -> "Keys":
        return any_of((self, other))

    def __invert__(self) -> "Keys":
        return self.parts[0] if self.how == "not" else Keys("not", (self,))


NONE = Keys("or")
ALL = Keys("and")


def topic(binding_key: str) -> Keys:
    """The keys that a binding key of a topic exchange matches."""
    wild = {"*": ONE, "#": MANY}
    return Keys("pattern", pattern=tuple(wild.get(word, word) for word in words_of(binding_key)))


def exactly(key: str) -> Keys:
    """This one key; its `*` and `#` are ordinary words."""
    return Keys("pattern", pattern=tuple(words_of(key)))


def any_of(sets: Iterable[Keys]) -> Keys:
    parts = tuple(dict.fromkeys(inner for item in sets for inner in (item.parts if item.how == "or" else (item,))))
    return ALL if ALL in parts else parts[0] if len(parts) == 1 else Keys("or", parts)


def all_of(sets: Iterable[Keys]) -> Keys:
    parts = tuple(dict.fromkeys(inner for item in sets for inner in (item.parts if item.how == "and" else (item,))))
    return NONE if NONE in parts else parts[0] if len(parts) == 1 else Keys("and", parts)


def witness(keys: Keys, *, longer: bool = False) -> str | None:
    """A shortest key of the set, or None when it is empty. `longer`: of at least one word, where there is one.

    Raises `TooManyStates`.
    """
    first = None
    for key, found in _walk((keys,)):
        if found[0]:
            if key or not longer:
                return key
            first = key
    return first


def covers(large: Keys, small: Keys) -> bool:
    """Whether every key of `small` is in `large`. Raises `TooManyStates`."""
    return witness(small & ~large) is None


def classes(named: Mapping[str, Keys]) -> dict[frozenset[str], str]:
    """Every combination of the sets that some key is in, each with a short such key, the empty one only where there is no
    other. Raises `TooManyStates`."""
    names = tuple(named)
    found: dict[frozenset[str], str] = {}
    for key, inside in _walk(tuple(named.values())):
        members = frozenset(name for name, true in zip(names, inside, strict=True) if true)
        if not found.get(members):
            found[members] = key
    return found


# The walk --------------------------------------------------------------------------------------------------------------

State = frozenset[tuple[int, int]]  # (pattern, the positions that it can be at as bits); patterns that are at none are left out


def _walk(sets: tuple[Keys, ...]) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Keys, shortest first, one for every distinguishable situation, and for each of the sets whether the key is in it."""
    patterns = tuple(dict.fromkeys(pattern for item in sets for pattern in _patterns(item)))
    fresh = _fresh_word(patterns)
    start = frozenset((number, _skipped(pattern, 1)) for number, pattern in enumerate(patterns))
    todo: list[tuple[State, tuple[str, ...]]] = [(start, ())]
    seen: set[tuple[State, bool]] = set()  # without the start, so that a key of a word is met even where it changes nothing
    for state, words in todo:  # grows while it is walked
        if words != ("",):  # one empty word and nothing else cannot be written
            accepted = {patterns[number] for number, bits in state if bits >> len(patterns[number]) & 1}
            yield ".".join(words), tuple(_inside(item, accepted) for item in sets)
        for word, following in _steps(state, patterns, fresh):
            mark = (following, not words and word == "")
            if mark not in seen:
                seen.add(mark)
                if len(seen) > MOST_STATES:
                    raise TooManyStates
                todo.append((following, (*words, word)))


def _patterns(keys: Keys) -> Iterator[Pattern]:
    if keys.how == "pattern":
        yield keys.pattern
    for part in keys.parts:
        yield from _patterns(part)


def _inside(keys: Keys, accepted: set[Pattern]) -> bool:
    if keys.how == "pattern":
        return keys.pattern in accepted
    if keys.how == "not":
        return not _inside(keys.parts[0], accepted)
    each = (_inside(part, accepted) for part in keys.parts)
    return any(each) if keys.how == "or" else all(each)


def _steps(state: State, patterns: tuple[Pattern, ...], fresh: str) -> Iterator[tuple[str, State]]:
    """Where each word leads: the words that some pattern waits for here, and the fresh one for all others."""
    others: dict[int, int] = {}
    waiting: dict[str, dict[int, int]] = {}
    for number, bits in state:
        pattern = patterns[number]
        for position, part in enumerate(pattern):
            if not bits >> position & 1:
                continue
            if isinstance(part, int):
                reached = 1 << position if part == MANY else 1 << position + 1
                others[number] = others.get(number, 0) | reached
            else:
                there = waiting.setdefault(part, {})
                there[number] = there.get(number, 0) | 1 << position + 1
    yield fresh, _state(others, patterns)
    for word in sorted(waiting):
        merged = dict(others)
        for number, bits in waiting[word].items():
            merged[number] = merged.get(number, 0) | bits
        yield word, _state(merged, patterns)


def _state(reached: dict[int, int], patterns: tuple[Pattern, ...]) -> State:
    return frozenset((number, _skipped(patterns[number], bits)) for number, bits in reached.items())


def _skipped(pattern: Pattern, bits: int) -> int:
    """The positions, and those behind each `#` at one of them, which may stand for no word."""
    for position, part in enumerate(pattern):
        if part == MANY and bits >> position & 1:
            bits |= 1 << position + 1
    return bits


def _fresh_word(patterns: tuple[Pattern, ...]) -> str:
    taken = {part for pattern in patterns for part in pattern if isinstance(part, str)}
    for word in FRESH:
        if word not in taken:
            return word
    return next(word for number in range(len(taken) + 1) if (word := f"word{number}") not in taken)
