"""What a section finds, and how it is printed: one row a figure."""

import re
from typing import NamedTuple

from pairs import Ratio

TIE = 0.08
WHAT, FIGURE, RATIO, SURE, TO, GOAL = 60, 12, 10, 15, 26, 18
BLOCK = re.compile(r"(?<=^<!-- bench -->\n```text\n\$ python tests/bench\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


class Goal(NamedTuple):
    """A ratio that is to be reached or not to be passed."""

    name: str
    bound: float
    least: bool

    def holds(self, value: float) -> str:
        """`tie`: so near that another run may say otherwise."""
        if not value:
            return "yes" if not self.least else "NO"
        reached = value / self.bound if self.least else self.bound / value
        return "yes" if reached >= 1 or value < 0 else "tie" if reached >= 1 - TIE else "NO"

    def __str__(self) -> str:
        return f"{self.name} {'≥' if self.least else '≤'} {self.bound:g}"


class Row(NamedTuple):
    """`to` says what `ratio` is a ratio to. A goal is for the ratio, or, where there is none, for `value`, which
    may be `shown` in its place."""

    what: str
    figure: str = ""
    ratio: Ratio | float | None = None
    to: str = ""
    goal: Goal | None = None
    value: float | None = None
    shown: str = ""

    def __str__(self) -> str:
        if isinstance(self.ratio, Ratio) and self.ratio.refused:
            return f"  {self.what}: refused, {self.ratio.refused}"
        ratio = self.ratio.middle if isinstance(self.ratio, Ratio) else self.ratio
        sure = f"{_number(self.ratio.low)} - {_number(self.ratio.high)}" if isinstance(self.ratio, Ratio) else ""
        shown = self.shown if ratio is None else f"{_number(ratio)} x"
        judged = self.value if ratio is None else ratio
        verdict = "" if self.goal is None or judged is None else self.goal.holds(judged)
        goal = "" if self.goal is None else str(self.goal)
        figures = f"{self.figure:>{FIGURE}}{shown:>{RATIO}}{sure:>{SURE}}"
        return f"  {self.what:<{WHAT}}{figures}  {self.to:<{TO}}{goal:<{GOAL}}{verdict}".rstrip()


def _number(ratio: float) -> str:
    return f"{ratio:,.2f}" if ratio < 100 else f"{ratio:,.0f}"


def at_least(name: str, bound: float) -> Goal:
    return Goal(name, bound, least=True)


def at_most(name: str, bound: float) -> Goal:
    return Goal(name, bound, least=False)


def missing(what: str, package: str) -> Row:
    return Row(f"{what}: not measured, {package} is not installed")


def per_second(seconds: float) -> str:
    return f"{1 / seconds:,.0f}/s"


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:,.2f} s"
    return f"{seconds * 1e3:,.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:,.2f} us"


def renewed(text: str, table: str) -> str:
    """The README beside this file with this table in place of the one that it has."""
    found, count = BLOCK.subn(lambda _: f"{table}\n", text)
    assert count == 1, "the README has one place for the table"
    return found


def renewed_section(text: str, title: str, when: str, rows: list[str]) -> str:
    """The README with these rows in place of those of one section, which is added at the end if it is not there yet."""
    found = BLOCK.search(text)
    assert found, "the README has one place for the table"
    parts = found[0].rstrip("\n").split("\n\n")
    new = "\n".join([f"{title} ({when})", *rows])
    places = [place for place, part in enumerate(parts) if part.partition("\n")[0].partition(" (")[0] == title]
    if places:
        parts[places[0]] = new
    else:
        parts.append(new)
    return renewed(text, "\n\n".join(parts))
