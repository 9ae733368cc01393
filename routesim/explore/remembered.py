"""What has been, as far as expectations of the end and rules of `never` ask for it: part of an explored state where they do."""

from typing import Any

from routesim import events
from routesim.explore.hands import AGAIN
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.watches import DeliveryWatches, WaitWatches, Watches, watches_of
from routesim.run.folds.fold import Fold
from routesim.run.folds.records import Deliveries, Fates, Publishers
from routesim.scenario import Expectation, Scenario

OVER_TIME = ("delivered", "waits")  # rules of never that need what was before
ANY_NUMBER = 1 << 60


class Kept(NamedTuple):
    """What is asked for. `consumers`: by name, the number of deliveries from which on more make no difference, and None where
    their ids do. `publishers`, `lost`: whether anything asks for them."""

    messages: frozenset[str]
    consumers: dict[str, int | None]
    publishers: bool
    lost: int | None


class WhatHasBeen:
    """`lost`: how many copies; `watches`: of the rules that need what was before; `heard`: how many events of the
    move that goes on."""

    __slots__ = ("deliveries", "fates", "heard", "kept", "lost", "publishers", "watches")

    def __init__(self, kept: Kept, watches: list[Watches]) -> None:
        self.kept, self.watches = kept, watches
        self.fates, self.publishers = Fates(kept.messages), Publishers()
        self.deliveries = Deliveries(kept.consumers)
        self.lost = self.heard = 0

    def copy(self) -> "WhatHasBeen":
        other = object.__new__(WhatHasBeen)
        other.kept, other.lost, other.heard = self.kept, self.lost, 0
        other.fates, other.publishers, other.deliveries = self.fates, self.publishers, self.deliveries
        if self.kept.messages:
            other.fates = Fates(self.kept.messages)
            other.fates.of = {message: reached.copy() for message, reached in self.fates.of.items()}
        if self.kept.publishers:
            other.publishers = Publishers()
            for name in vars(self.publishers):
                setattr(other.publishers, name, getattr(self.publishers, name).copy())
        if self.kept.consumers:
            other.deliveries = _copied(self.deliveries)
        other.watches = [watch.copy() for watch in self.watches]
        return other

    def begin(self) -> None:
        """A move begins."""
        self.heard = 0
        for watch in self.watches:
            watch.forget()

    def hear(self, all_events: list[Any]) -> None:
        """Those of the move that were not heard yet."""
        for event in all_events[self.heard :]:
            if type(event) in events.LOST and events.is_lost(event):
                self.lost += 1
            for fold in (self.fates, self.publishers, *self.watches):
                Fold.hear(fold, event)
            if self.kept.consumers and (type(event) is not events.Delivered or event.consumer in self.kept.consumers):
                Fold.hear(self.deliveries, event)
        self.heard = len(all_events)

    def broken_now(self, now: int) -> dict[int, tuple[str, str]]:
        """Which rules the move broke, by their number: by which message, and how."""
        found = {}
        for watch in self.watches:
            how = "it is delivered too often" if isinstance(watch, DeliveryWatches) else "it waits too long"
            watch.still_so(now)
            for number, broken in watch.broken_rules.items():
                found[number] = next(iter(broken.ids), ""), how
        return dict(sorted(found.items()))

    def fingerprint(self, now: int) -> tuple[Any, ...]:
        return (
            tuple((name, tuple(sorted((queue, state) for queue, (_, state) in reached.items())))
                  for name, reached in sorted(self.fates.of.items())),
            tuple(tuple(getattr(self.publishers, name)) for name in vars(self.publishers)) if self.kept.publishers else (),
            tuple(_print(self.deliveries.of.get(name, []), most) for name, most in self.kept.consumers.items()),
            -1 if self.kept.lost is None else min(self.lost, self.kept.lost),
            tuple(_watch_print(watch, now) for watch in self.watches),
        )  # fmt: skip


def remembered_of(scenario: Scenario, expectations: tuple[Expectation, ...]) -> WhatHasBeen | None:
    """None: nothing asks for more than the state says."""
    messages: set[str] = set()
    consumers: dict[str, int | None] = {}
    publishers, lost = False, None
    for item in expectations:
        section, wanted = item.path[0], item.wanted
        if section == "messages":
            messages.add(item.path[1])
        elif section == "consumers":
            name, most = item.path[1], _most(wanted)
            before = consumers.get(name, 0)
            consumers[name] = None if most is None or before is None else max(before, most)
        elif section in ("returned", "nacked", "unroutable"):
            publishers = True
        elif section == "lost":
            lost = max(lost or 0, _most(wanted) or 0)
    watches = watches_of(scenario.never, OVER_TIME)
    if not (messages or consumers or publishers or lost is not None or watches):
        return None
    return WhatHasBeen(Kept(frozenset(messages), consumers, publishers, lost), watches)


def _most(wanted: Any) -> int | None:
    """From which number on more make no difference to a comparison; None: it is none."""
    if isinstance(wanted, int):
        return wanted + 1
    if isinstance(wanted, tuple) and len(wanted) == 2 and isinstance(wanted[1], int):
        return wanted[1] + 1
    return None


def _copied(old: Deliveries) -> Deliveries:
    new = Deliveries(old.of)
    twins: dict[int, dict[str, Any]] = {}
    for name, records in old.of.items():
        new.of[name] = [twins.setdefault(id(record), record.copy()) for record in records]
    new.open = {copy: [(name, twins.get(id(record), record)) for name, record in holders] for copy, holders in old.open.items()}
    new.auto = {key: twins.get(id(record), record) for key, record in old.auto.items()}
    return new


def _print(records: list[dict[str, Any]], most: int | None) -> tuple[Any, ...]:
    """Which of them are open is in the broker's state."""
    if most is None:
        return tuple((record["message"].removesuffix(AGAIN), record["redelivered"], record["answer"] or "") for record in records)
    answers = [record["answer"] or "" for record in records]
    counts = tuple(min(answers.count(answer), most) for answer in ("ack", "reject", "requeue", "crash", "auto"))
    return min(len(records), most), min(sum(record["redelivered"] for record in records), most), counts


def _watch_print(watch: Watches, now: int) -> tuple[Any, ...]:
    if isinstance(watch, WaitWatches):
        kept = watch.entered.values()
        return tuple(
            sorted(
                (event.message, event.queue, min(now - event.at_ms, _asked(watch, event.message, event.queue))) for event in kept
            )
        )
    assert isinstance(watch, DeliveryWatches)
    counts = [
        (message, queue, min(count, _asked(watch, message, queue)))
        for message, by_queue in watch.deliveries.items()
        for queue, count in by_queue.items()
    ]
    return tuple(sorted(watch.open.items())), tuple(sorted(counts))


def _asked(watch: Watches, message: str, queue: str) -> int:
    """From which number on more make no difference to any rule."""
    limits = [watch.rules[number].limit for number in watch.about.of(message, queue)]
    return max(ANY_NUMBER if limit is None else limit[1] + 1 for limit in limits)
