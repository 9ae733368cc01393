"""The plain steps of a scenario with Celery in the making, with the time at each: the sum of the waits before it."""

import heapq
from typing import Any

from routesim.durations import parse_duration, written_duration
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.alike_calls import AlikePublish, alike_step
from routesim.scenario.celery.calls import CallPublishes, Producer, steps_of
from routesim.scenario.celery.nodes import made
from routesim.scenario.steps.alike import AlikeStep
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

PING_MS = 1_000  # how long a ping waits for answers, where it says nothing else


class MadeStep(NamedTuple):
    """A plain step. `comment`: what its written form says of it. `text`: as what it is shown, which is what it is part of
    (empty: as itself)."""

    comment: str
    node: Node | AlikeStep
    text: str = ""


class Timeline:
    """`steps` so far, `now` (ms) at their end; `due` is to be taken at later instants, as a heap. `lasts`: how long (ms) the
    scenario lasts. `text`: as what the steps that follow are shown."""

    def __init__(self, lasts: int) -> None:
        self.lasts = lasts
        self.now = 0
        self.scheduled = 0
        self.due: list[tuple[int, int, list[MadeStep]]] = []
        self.steps: list[MadeStep] = []
        self.text = ""

    def add(self, comment: str, step: Node | AlikeStep) -> None:
        self.steps.append(MadeStep(comment, step, self.text))

    def plain(self, node: Node) -> None:
        """A step that is none of Celery's; within a wait, what is due meanwhile."""
        self.text = ""
        waited = node.get("wait") if isinstance(node, Mapping) else None
        ms = parse_duration(waited) if isinstance(waited, Text) else None
        # A wait that holds anything else stays whole: it is wrong, or says how it fails.
        if not ms or len(node) > 1 or not self.due or self.due[0][0] > self.now + ms:
            self.now += ms or 0
            self.add("", node)
        else:
            self.wait_until(self.now + ms, node)

    def wait_for_all(self, at: Node) -> None:
        """Waits for what is still due."""
        self.text = ""
        if self.due:
            self.wait_until(max(moment for moment, _, _ in self.due), at)

    def wait_until(self, end: int, at: Node) -> None:
        """Waits up to the instant `end`, in parts where something is due before."""
        while self.due and self.due[0][0] <= end:
            moment, _, found = heapq.heappop(self.due)
            self._wait(moment, at)
            self.steps += found
        self._wait(end, at)

    def _wait(self, moment: int, at: Node) -> None:
        if moment > self.now:
            self.add("", made({"wait": written_duration(moment - self.now)}, at))
            self.now = moment

    def send(self, producer: Producer, sent: CallPublishes, comment: str, at: Node, fails: Node | None = None) -> None:
        """Publishes; where the queue of results might expire meanwhile, each with its declaration, as Celery does it."""
        publishes = sent.publishes
        last = publishes[-1][0] if publishes else self.now
        results, expires = sent.results, producer.app.settings["result_expires"]
        if results is not None and expires is not None and max(self.lasts, last) >= expires and last > self.now:
            later = [item for item in publishes if item[0] > self.now]
            publishes = [item for item in publishes if item[0] <= self.now]
            for moment, fields in later:
                if isinstance(fields, AlikePublish):
                    publish = alike_step(fields, producer.name, 0, at)
                else:
                    publish = made({"publish": {**fields, "channel": producer.name}}, at)
                found = [MadeStep("", step, self.text) for step in (results, publish)]
                self.scheduled += 1
                heapq.heappush(self.due, (moment, self.scheduled, found))
        for step in steps_of(sent._replace(publishes=publishes), producer, self.now, at, fails):
            self.add(comment, step)
            comment = ""


def horizon_of(root: Mapping) -> int:
    """How long a scenario lasts (ms): `until`, else the sum of its waits."""
    until = root.get("until")
    lasts = parse_duration(until) if isinstance(until, Text) else None
    if lasts is not None:
        return lasts
    steps: Any = root.get("steps")
    total = 0
    for step in steps if isinstance(steps, Sequence) else ():
        waited = step.get("wait") if isinstance(step, Mapping) else None
        total += (parse_duration(waited) or 0) if isinstance(waited, Text) else 0
    return total
