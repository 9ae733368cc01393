"""What a rule says: a problem, the declaration that it is about, and a draft of the scenario that shows it."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeAlias

from routesim.diagnostics import NOTE
from routesim.named_tuples import NamedTuple
from routesim.steps import Step


class OfTask(NamedTuple):
    """A task, by its name."""

    name: str


# A declaration, a task, the index of a step, the name of a consumer or worker, or None for the file as a whole.
Subject: TypeAlias = Step | OfTask | int | str | None


class Draft(NamedTuple):
    """A scenario as data, and in one sentence what it does and what comes of it."""

    data: dict[str, Any]
    sentence: str


class Cause(NamedTuple):
    """What several problems of one rule come of: they are one finding, at the first of them. `text` says it of all
    names, or of whatever else stands for them."""

    key: Hashable
    name: Any
    text: Callable[[Sequence[Any]], str]


class Problem(NamedTuple):
    """What a rule found. `inner` leads to the part of the declaration at fault; `severity` None: the rule's own. `cause`: what it
    has in common with others, which are then told together; `message` is of this one alone."""

    message: str
    subject: Subject
    inner: tuple[str, ...] = ()
    cure: str = ""
    draft: Draft | None = None
    severity: str | None = None
    cause: Cause | None = None


def named(word: str, names: Sequence[str], shown: int = 6) -> str:
    """`queue 'a'`, `3 queues ('a', 'b', 'c')`."""
    if len(names) == 1:
        return f"{word} '{names[0]}'"
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    listed = ", ".join(f"'{name}'" for name in names[:shown])
    return f"{len(names):,} {word}s ({listed}{more})"


def not_checked(subject: str, names: Sequence[str]) -> Iterator[Problem]:
    """That the rule says nothing, or not all, of these: it would cost more steps than it may. Nothing where there are none."""
    if names:
        shown = ", ".join(f"'{name}'" for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        text = f"not checked to the end for {subject}{'s' if len(names) > 1 else ''} {shown}: too many ways and keys to follow"
        yield Problem(text, None, (), "check smaller parts of the topology by themselves", None, NOTE)
