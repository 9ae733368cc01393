"""What a run remembers of its losses."""

from typing import Any

from routesim import events
from routesim.model import events_channel, mingle_channel
from routesim.run.folds.fold import Fold
from routesim.scenario import Scenario


class Losses(Fold):
    """Every event with which a message, a copy or a task was lost (`events.is_lost`), in order, without the messages in which
    workers tell of themselves: who would hear them is gone. `complete`: they were heard; else the run kept no record of them,
    and only the ledger knows how many there are."""

    def __init__(self, scenario: Scenario) -> None:
        self.own_channels = {channel(name) for name in scenario.workers for channel in (events_channel, mingle_channel)}
        self.own: set[str] = set()
        self.all: list[Any] = []
        self.complete = False
        if self.own_channels:
            self.hears = {events.Published: Losses._published, **self.hears}

    def _published(self, event: events.Published) -> None:
        if event.channel in self.own_channels:
            self.own.add(event.message)

    def _lost(self, event: Any) -> None:
        if events.is_lost(event) and event.message not in self.own:
            self.all.append(event)

    hears = dict.fromkeys(events.LOST, _lost)
