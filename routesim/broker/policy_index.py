"""The policies of a virtual host, found by the names that their patterns can fit."""

import re
from collections.abc import Iterable, Iterator

from routesim.model import Policy
from routesim.named_tuples import NamedTuple

Key = tuple[bool, str]  # an operator policy?, its name

# `^orders$`, `^orders\.`, `^orders\..*`: what such a pattern fits begins with these letters, or is just them.
LETTER = re.compile(r"[\w /:-]|\\[^\w\s]", re.ASCII)
QUANTIFIERS = "*+?{"


class Anchored(NamedTuple):
    """What a name must begin with, or be when `whole`, for a pattern to fit it."""

    text: str
    whole: bool


def anchored(pattern: str) -> Anchored | None:
    """None: the pattern is of another form, and may fit any name."""
    if not pattern.startswith("^"):
        return None
    letters, end = [], 1
    while (found := LETTER.match(pattern, end)) is not None:
        letters.append(found[0][-1])
        end = found.end()
    rest = pattern[end:]
    if rest[:1] and rest[0] in QUANTIFIERS:
        del letters[-1:]  # it is repeated, or may be missing
    if not letters or ("|" in rest and _may_begin_anew(rest)):
        return None
    return Anchored("".join(letters), rest == "$")


def _may_begin_anew(rest: str) -> bool:
    """Whether an alternative may begin outside of all parentheses; in doubt, yes."""
    if "[" in rest or "\\" in rest or "(?#" in rest:
        return True
    depth = 0
    for character in rest:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth <= 0:
            return True
    return False


class Policies(dict[Key, Policy]):
    """The policies in the order of their first declaration. Those of a name are found among what may fit it, not among all."""

    def __init__(self, policies: Iterable[tuple[Key, Policy]] = ()) -> None:
        super().__init__()
        self._position: dict[Key, int] = {}
        self._whole: dict[str, set[Key]] = {}
        self._beginning: dict[str, set[Key]] = {}
        self._anywhere: set[Key] = set()
        self._made = 0
        self._look: tuple[tuple[Key, str], ...] | None = None
        for key, policy in policies:
            self[key] = policy

    def __setitem__(self, key: Key, policy: Policy) -> None:
        self._look = None
        if key in self:
            self._place(self[key].pattern).discard(key)
        else:
            self._made += 1
            self._position[key] = self._made
        super().__setitem__(key, policy)
        self._place(policy.pattern).add(key)

    def remove(self, key: Key) -> Policy | None:
        """The policy that is gone; None: there was none."""
        if key not in self:
            return None
        policy = self[key]
        self._look = None
        super().__delitem__(key)
        del self._position[key]
        self._place(policy.pattern).discard(key)
        return policy

    def clone(self) -> "Policies":
        other = Policies(self.items())
        other._look = self._look
        return other

    def fingerprint(self) -> tuple[tuple[Key, str], ...]:
        """Equal for equal policies; worked out once."""
        if self._look is None:
            self._look = tuple(sorted((key, str(policy)) for key, policy in self.items()))
        return self._look

    def that_may_fit(self, name: str) -> Iterator[tuple[bool, Policy]]:
        """Each with whether it is an operator policy. That a pattern fits is still to be seen."""
        keys = [*self._anywhere, *self._whole.get(name, ()), *self._whole.get(name.removesuffix("\n"), ())]
        for begins in range(1, len(name) + 1) if len(name) < len(self._beginning) else ():
            keys += self._beginning.get(name[:begins], ())
        if len(name) >= len(self._beginning):
            keys += [key for text, of_text in self._beginning.items() if name.startswith(text) for key in of_text]
        for key in sorted(set(keys), key=self._position.__getitem__):
            yield key[0], self[key]

    def _place(self, pattern: str) -> set[Key]:
        begins = anchored(pattern)
        if begins is None:
            return self._anywhere
        return (self._whole if begins.whole else self._beginning).setdefault(begins.text, set())
