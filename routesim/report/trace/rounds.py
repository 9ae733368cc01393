"""The rounds of one message over time, as by a retry queue: after some that were alike the rest is counted, not shown."""

from collections.abc import Iterable, Iterator
from typing import Any

from routesim.durations import duration_text
from routesim.events import DeadLettered, Published, QosSet, Requeued
from routesim.report.trace.rows import Row
from routesim.scenario import Scenario

SHOWN = 35  # rounds of a message that are alike: more than a delivery limit of 20 allows, or a day each for a month
SHOWN_OF_MANY = 3  # the same, once the rows of such rounds are MANY
MANY = 2_000
LONGEST = 64  # rows of a round
KNOWN = 10_000  # messages that are remembered; those that go round come back
COMES_BACK = frozenset({DeadLettered, Requeued})  # events with which a round may begin


class Way:
    """That of one message. `begins`: the row with which each of its rounds begins; `before`: the round before this one; `alike`:
    how many were like the one before them; `published`: nothing has come again yet, it was but published; `hidden`, `rounds`:
    what was not shown since that was told; `shared`: it is that of many messages, and is copied before it goes on."""

    __slots__ = (
        "alike", "before", "began_ms", "begins", "hidden", "longest_ms", "now", "published", "rounds", "shared", "shortest_ms",
    )  # fmt: skip

    def __init__(self, begins: tuple[str, str], at_ms: int, published: bool) -> None:
        self.begins, self.published = begins, published
        self.began_ms = at_ms
        self.now: list[tuple[str, str]] = []
        self.before: list[tuple[str, str]] = []
        self.alike = self.hidden = self.rounds = self.longest_ms = 0
        self.shortest_ms = -1
        self.shared = False

    def copy(self, began_ms: int) -> "Way":
        """One that has gone the same way, from another time on, and of which nothing is hidden yet."""
        copy = Way(self.begins, began_ms, self.published)
        copy.now, copy.before, copy.alike = self.now.copy(), self.before, self.alike
        return copy

    def anew(self, at_ms: int) -> None:
        """A round is over, and the next one begins."""
        took = at_ms - self.began_ms
        self.alike = self.alike + 1 if self.now == self.before else 0
        if self.hidden:
            self.rounds += 1
            self.longest_ms = max(self.longest_ms, took)
            self.shortest_ms = took if self.shortest_ms < 0 else min(self.shortest_ms, took)
        self.now, self.before, self.began_ms = [], self.now, at_ms


class Rounds:
    """Decides of each row of a trace, in their order, whether it is to be shown. In constant memory."""

    def __init__(self, scenario: Scenario | None) -> None:
        consumers = () if scenario is None else scenario.consumers.values()
        self.publishers = frozenset(each.name for each in consumers if any(rule.publish for rule in each.on_message))
        self.tasks = scenario is not None and bool(scenario.workers)
        self.comes_back = COMES_BACK | {Published} if self.publishers or self.tasks else COMES_BACK
        self.ways: dict[str, Way] = {}
        self.hiding = False
        self.repeated = 0  # rows of rounds that were like the one before

    def hides(self, event: Any, row: Row) -> bool:
        """Whether it is left out. What is different again is shown, and `told` says what was left out before it."""
        if not self.ways and type(event) not in self.comes_back:  # nothing goes round yet
            return False
        if not row.message:  # of a worker, between rows that are not shown
            return self.hiding and type(event) is QosSet
        hides = self.hiding = self._hides(event, row)
        return hides

    def _hides(self, event: Any, row: Row) -> bool:
        name = self._name(row.message)
        way = self.ways.get(name) if self.ways else None
        comes = type(event) in self.comes_back
        if way is None:
            if comes:
                self._begin(name, row, type(event) is Published)
            return False
        if way.shared:
            way = self.ways[name] = way.copy(way.began_ms)
        looks = (row.event, row.where)
        if looks == way.begins:
            way.anew(row.at_ms)
            way.published = False  # it does come again
        elif comes and not way.hidden and (len(way.now) >= LONGEST or (way.published and type(event) is not Published)):
            self._begin(name, row, type(event) is Published)  # what it began with does not come again
            return False
        at = len(way.now)
        if at < LONGEST:
            way.now.append(looks)
        if not way.alike or at >= len(way.before) or way.before[at] != looks:
            way.alike = 0
            return False
        if way.alike < (SHOWN if self.repeated < MANY else SHOWN_OF_MANY):
            self.repeated += 1
            return False
        way.hidden += 1
        return True

    def _name(self, message: str) -> str:
        """That of the message; those that a consumer publishes anew, as `packer-1`, `packer-2`, are one that goes round, and so
        are a task and its retries."""
        if self.tasks:
            return message.rpartition("-retry-")[0] or message
        if self.publishers:
            first, _, number = message.rpartition("-")
            if first in self.publishers and number.isdecimal():
                return f"{first}-…"
        return message

    def _begin(self, name: str, row: Row, published: bool) -> None:
        way = Way((row.event, row.where), row.at_ms, published)
        way.now.append(way.begins)
        self._keep(name, way)

    def _keep(self, name: str, way: Way) -> None:
        if len(self.ways) >= KNOWN:
            self.ways = {name: way for name, way in self.ways.items() if way.alike}
        self.ways[name] = way

    def take_over(self, messages: Iterable[str], way: Way) -> None:
        """As if it had been asked about all rows of each of these, of which it knew nothing, and they had gone that way."""
        way.shared = True
        for message in messages:
            self._keep(message, way)

    def told(self, message: str) -> str:
        """What was left out of this message since it was told last; "" for nothing."""
        way = self.ways.get(self._name(message)) if self.ways else None
        if way is None or not way.hidden:
            return ""
        message = self._name(message)
        every = f", one every {duration_text(way.longest_ms)}" if 0 < way.longest_ms == way.shortest_ms else ""
        rounds = (
            f"{way.rounds:,} more rounds of {message} like the last one" if way.rounds else f"{message} begins one more round"
        )
        text = f"… {rounds}{every}: {way.hidden:,} rows"
        way.hidden = way.rounds = way.longest_ms = 0
        way.shortest_ms = -1
        return text

    def rest(self) -> Iterator[str]:
        """What is still to be told at the end."""
        return (text for name in self.ways if (text := self.told(name)))
