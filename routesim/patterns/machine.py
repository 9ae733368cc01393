"""Whether a regular expression is found in a name, in time that grows with their lengths alone.

Python's engine goes back and tries again, which some patterns make it do without end (`.*.*.*.*x`). Whether a pattern matches
at all needs no going back: this follows every way through it at once, one character of the name at a time.
"""

import re
from collections.abc import Callable, Iterable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

MAX_INSTRUCTIONS = 20_000
MAX_LENGTH = 255  # of a name: to repeat something more often than that is the same as to repeat it without limit

Takes: TypeAlias = Callable[[str], bool]
# ("character", takes) · ("split", targets) · ("at", where) · ("found",)
Instruction: TypeAlias = tuple[Any, ...]
CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s", op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


class NotRegular(Exception):
    """It says what only going back can decide: a reference to a group, a look ahead or behind, other flags; or is too large."""


class PatternMachine:
    """One pattern. Raises `NotRegular`, and `re.error` for what is no pattern."""

    def __init__(self, pattern: str) -> None:
        self.program: list[Instruction] = []
        parsed = _parser.parse(pattern)
        if parsed.state.flags & ~re.UNICODE:
            raise NotRegular
        self._sequence(parsed)
        self._add("found")

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        found = len(self.program) - 1
        now = self._reached([0], text, 0)
        # The same character leads from the same instructions to the same ones, unless one looks at where it stands.
        known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        anchored = any(instruction[0] == "at" for instruction in self.program)
        for index, character in enumerate(text, 1):
            if found in now:
                return True
            after = None if anchored else known.get((now, character))
            if after is None:
                program = self.program
                stepped = [at + 1 for at in now if program[at][0] == "character" and program[at][1](character)]
                after = known[now, character] = self._reached([0, *stepped], text, index)
            now = after
        return found in now

    def _reached(self, todo: list[int], text: str, index: int) -> frozenset[int]:
        """The instructions, and all that follow from them without a character."""
        reached: set[int] = set()
        while todo:
            at = todo.pop()
            if at in reached:
                continue
            reached.add(at)
            kind, *rest = self.program[at]
            if kind == "split":
                todo.extend(rest[0])
            elif kind == "at" and _holds(rest[0], text, index):
                todo.append(at + 1)
        return frozenset(reached)

    # Compiling ---------------------------------------------------------------------------------------------------------

    def _add(self, *instruction: Any) -> int:
        if len(self.program) >= MAX_INSTRUCTIONS:
            raise NotRegular
        self.program.append(instruction)
        return len(self.program) - 1

    def _sequence(self, items: Iterable[tuple[Any, Any]]) -> None:
        for kind, value in items:
            self._item(kind, value)

    def _item(self, kind: Any, value: Any) -> None:
        if kind in (op.LITERAL, op.NOT_LITERAL):
            wanted, same = chr(value), kind is op.LITERAL
            self._add("character", lambda character: (character == wanted) is same)
        elif kind is op.ANY:
            self._add("character", lambda character: character != "\n")
        elif kind is op.IN:
            self._add("character", _in(value))
        elif kind is op.AT:
            self._add("at", value)
        elif kind is op.SUBPATTERN:
            _, added, removed, items = value
            if added or removed:
                raise NotRegular
            self._sequence(items)
        elif kind is op.BRANCH:
            self._branch(value[1])
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            self._repeat(*value)
        else:
            raise NotRegular

    def _branch(self, alternatives: list[Any]) -> None:
        split = self._add("split", [])
        ends = []
        for items in alternatives:
            self.program[split][1].append(len(self.program))
            self._sequence(items)
            ends.append(self._add("split", []))
        for end in ends:
            self.program[end][1].append(len(self.program))

    def _repeat(self, least: int, most: int, items: Any) -> None:
        for _ in range(least):
            self._sequence(items)
        if most is op.MAXREPEAT or most > MAX_LENGTH:
            split = self._add("split", [len(self.program) + 1])
            self._sequence(items)
            self._add("split", [split])
            self.program[split][1].append(len(self.program))
            return
        splits = []
        for _ in range(most - least):
            splits.append(self._add("split", [len(self.program) + 1]))
            self._sequence(items)
        for split in splits:
            self.program[split][1].append(len(self.program))


def _in(items: list[tuple[Any, Any]]) -> Takes:
    tests: list[Takes] = []
    negated = False
    for kind, value in items:
        if kind is op.NEGATE:
            negated = True
        elif kind is op.LITERAL:
            tests.append(chr(value).__eq__)
        elif kind is op.RANGE:
            tests.append(lambda character, low=value[0], high=value[1]: low <= ord(character) <= high)  # type: ignore[misc]
        else:
            tests.append(lambda character, of=re.compile(CATEGORIES[value]): of.match(character) is not None)  # type: ignore[misc]
    return lambda character: any(test(character) for test in tests) is not negated


def _holds(where: Any, text: str, index: int) -> bool:
    if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
        return index == 0
    if where is op.AT_END:
        return index == len(text) or (index == len(text) - 1 and text[index] == "\n")
    if where is op.AT_END_STRING:
        return index == len(text)
    before = index > 0 and re.match(r"\w", text[index - 1]) is not None
    after = index < len(text) and re.match(r"\w", text[index]) is not None
    return (before != after) is (where is op.AT_BOUNDARY)
