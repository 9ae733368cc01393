"""What a rule says: a problem, the declaration that it is about, and a draft of the scenario that shows it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from routesim.diagnostics import NOTE
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


class Problem(NamedTuple):
    """What a rule found. `inner` leads to the part of the declaration at fault; `severity` None: the rule's own."""

    message: str
    subject: Subject
    inner: tuple[str, ...] = ()
    cure: str = ""
    draft: Draft | None = None
    severity: str | None = None


def not_checked(subject: str, names: Sequence[str]) -> Iterator[Problem]:
    """That the rule says nothing, or not all, of these: it would cost more steps than it may. Nothing where there are none."""
    if names:
        shown = ", ".join(f"'{name}'" for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        text = f"not checked to the end for {subject}{'s' if len(names) > 1 else ''} {shown}: too many ways and keys to follow"
        yield Problem(text, None, (), "check smaller parts of the topology by themselves", None, NOTE)
