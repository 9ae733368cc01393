"""Sets of routing keys, held as what they are built from: patterns, and, or, not. Exact, and each with a witness.

Whether a combination of patterns has any key at all is found by walking it word by word (`remainders`), over the words that
occur in it and one fresh word that stands for every other; the first key that is met is a shortest one. What that costs is
counted in steps, not in time, so that a question which is too large is given up at the same point everywhere. Nothing here
knows of brokers or exchanges.
"""

from collections.abc import Iterable, Iterator, Mapping

from routesim.exchanges.topic import words_of
from routesim.explain.keys.remainders import MANY, ONE, Pattern, Remainders, TooManyStates
from routesim.named_tuples import NamedTuple

FRESH = ("other", "another", "something", "anything", "unknown")


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


def witness(keys: Keys, *, longer: bool = False, work: Remainders | None = None) -> str | None:
    """A shortest key of the set, or None when it is empty. `longer`: of at least one word, where there is one.

    `work` is shared by questions about much the same sets: what they find, and what they may cost. Raises `TooManyStates`.
    """
    first = None
    for key, found in _walk((keys,), work):
        if found[0]:
            if key or not longer:
                return key
            first = key
    return first


def covers(large: Keys, small: Keys, work: Remainders | None = None) -> bool:
    """Whether every key of `small` is in `large`. Raises `TooManyStates`."""
    return witness(small & ~large, work=work) is None


def classes(named: Mapping[str, Keys]) -> dict[frozenset[str], str]:
    """Every combination of the sets that some key is in, each with a short such key, the empty one only where there is no
    other. Raises `TooManyStates`."""
    names = tuple(named)
    found: dict[frozenset[str], str] = {}
    for key, inside in _walk(tuple(named.values()), None):
        members = frozenset(name for name, true in zip(names, inside, strict=True) if true)
        if not found.get(members):
            found[members] = key
    return found


# The walk --------------------------------------------------------------------------------------------------------------


def _walk(sets: tuple[Keys, ...], work: Remainders | None) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Keys, shortest first, one for every distinguishable situation, and for each of the sets whether the key is in it."""
    left = Remainders() if work is None else work
    left.ask()
    taken: set[str | int] = set()
    start = tuple(_numbered(item, left, taken) for item in sets)
    fresh = _fresh_word(taken)
    todo: list[tuple[tuple[int, ...], tuple[str, ...]]] = [(start, ())]
    seen: set[tuple[tuple[int, ...], bool]] = set()  # without the start: a key of a word is met even where it changes nothing
    for state, words in todo:  # grows while it is walked
        if words != ("",):  # one empty word and nothing else cannot be written
            yield ".".join(words), tuple(left.ends[number] for number in state)
        for word, following in left.steps(state, fresh):
            mark = (following, not words and word == "")
            if mark not in seen:
                seen.add(mark)
                todo.append((following, (*words, word)))


def _numbered(keys: Keys, left: Remainders, taken: set[str | int]) -> int:
    """The number of the set; the words that occur in it are added to `taken`."""
    if keys.how == "pattern":
        taken.update(keys.pattern)
        return left.pattern(keys.pattern)
    parts = [_numbered(part, left, taken) for part in keys.parts]
    return left.complement(parts[0]) if keys.how == "not" else left.combined(keys.how, parts)


def _fresh_word(taken: set[str | int]) -> str:
    for word in FRESH:
        if word not in taken:
            return word
    return next(word for number in range(len(taken) + 1) if (word := f"word{number}") not in taken)


__all__ = [
    "ALL", "NONE", "Keys", "Remainders", "TooManyStates", "all_of", "any_of", "classes", "covers", "exactly", "topic", "witness",
]  # fmt: skip
