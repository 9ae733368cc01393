"""Which step publishes a message: for whoever asks it of many messages."""

from bisect import bisect_right
from heapq import heappop, heappush

from routesim.model import Message
from routesim.scenario.scenario import PublishMany, Scenario


class Senders:
    """The steps of a scenario that publish, by the ids of their messages. Where two publish the same id, it is of the first."""

    def __init__(self, scenario: Scenario) -> None:
        self.single: dict[str, tuple[int, PublishMany]] = {}
        self.counted: dict[str, list[tuple[int, int, PublishMany]]] = {}  # prefix -> (first number, place, step)
        for place, step in enumerate(scenario.steps):
            action = step.action
            if not isinstance(action, PublishMany):
                continue
            if action.first is None:
                self.single.setdefault(action.id_prefix, (place, action))
            else:
                self.counted.setdefault(action.id_prefix, []).append((action.first, place, action))
        self.ranges: dict[str, tuple[list[int], list[list[tuple[int, PublishMany]]]]] = {}

    def of(self, message: str) -> Message | None:
        """What `sent_by` says."""
        found = [self.single[message]] if message in self.single else []
        end = len(message)
        while end and message[end - 1].isdecimal():
            end -= 1
            prefix = message[:end]
            if prefix in self.counted:
                starts, there = self._ranges(prefix)
                place = bisect_right(starts, int(message[end:][:18])) - 1
                found += there[place] if place >= 0 else []
        found = [item for item in found if item[1].publishes(message)]
        return min(found, key=lambda item: item[0])[1].message if found else None

    def _ranges(self, prefix: str) -> tuple[list[int], list[list[tuple[int, PublishMany]]]]:
        """The numbers at which the step that comes first in the scenario may be another one, and which it is from there on."""
        if prefix in self.ranges:
            return self.ranges[prefix]
        steps = sorted(self.counted[prefix], key=lambda item: item[:2])
        starts = sorted({number for first, _, step in steps for number in (first, first + step.times)})
        there: list[list[tuple[int, PublishMany]]] = []
        heap: list[tuple[int, int, PublishMany]] = []  # (place, where it ends, step)
        begun = 0
        for start in starts:
            while begun < len(steps) and steps[begun][0] <= start:
                first, place, step = steps[begun]
                heappush(heap, (place, first + step.times, step))
                begun += 1
            while heap and heap[0][1] <= start:
                heappop(heap)
            there.append([(heap[0][0], heap[0][2])] if heap else [])
        self.ranges[prefix] = starts, there
        return starts, there
