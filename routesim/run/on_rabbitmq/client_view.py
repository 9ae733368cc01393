"""What the clients of a real broker can see of a run, for expectations: the rest is not checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from routesim.rabbitmq.observing import count_ready, take_contents
from routesim.run.expecting.checked import Checked
from routesim.run.expecting.expectations import Evidence, check
from routesim.run.expecting.queue_facts import FACTS
from routesim.run.expecting.ready_messages import is_of_ready
from routesim.run.folds.records import Fates
from routesim.run.on_rabbitmq.real_clock import RealClock
from routesim.run.result import AsClientsSaw
from routesim.scenario import Expectation

OPEN = ("ready", "unacked")
SEEN_STATES = ("ready", "unacked", "acked")


class ClientView:
    """`unseen`: the expectations that were not checked."""

    def __init__(self, clock: RealClock, fates: Fates) -> None:
        self.clock = clock
        self.broker = clock.broker
        self.fates = fates
        self.unseen: list[Expectation] = []

    @contextmanager
    def counted(self, expectations: tuple[Expectation, ...]) -> Iterator[tuple[Expectation, ...]]:
        """In mid-run the ready messages are only counted: to see which they are they would have to be taken out."""
        count_ready(self.broker, {item.path[1] for item in expectations if item.path[0] == "queues"})
        yield tuple(_countable(item) for item in expectations)
        for queue in self.broker.queues.values():
            queue.count = None

    def take(self) -> None:
        """The run is over: what is found in the queues is ready, and where it has been says its x-death; what was rejected, or
        came back and is not there, is known no more."""
        take_contents(self.broker)
        held = {(item.copy.message, item.queue.name) for line in self.broker.channels.values() for item in line.unacked.values()}
        for message, reached in self.fates.of.items():
            for gone in [name for name, (_, state) in reached.items() if state in OPEN and (message, name) not in held]:
                del reached[gone]
        for name, queue in self.broker.queues.items():
            for copy in queue.ready():
                reached = self.fates.of.setdefault(copy.message, {})
                reached[name] = (copy.serial, "ready")
                deaths = (copy.content.headers or {}).get("x-death")
                for death in deaths if isinstance(deaths, list) else ():
                    here = self.broker.queues.get(death["queue"])
                    still = here is not None and any(item.message == copy.message for item in here.ready())
                    if not still and (copy.message, death["queue"]) not in held:
                        reached[death["queue"]] = (0, f"dead-lettered: {death['reason']}")

    def check(self, expectation: Expectation, evidence: Evidence, step: int | None) -> Checked | None:
        """None: no client can say whether it holds, which is noted."""
        unseen = (
            expectation.path[0] in ("lost", "unroutable")
            or (step is not None and (is_of_ready(expectation) or _is_of_fates(expectation)))
            or _is_of_one_engine(expectation)
        )
        found = None if unseen else check(expectation, evidence, step)
        if found is None or (not found.ok and self._cannot_be_seen(expectation)):
            self.unseen.append(expectation)
            return None
        return found

    def _cannot_be_seen(self, expectation: Expectation) -> bool:
        """Whether a state of a message is one that no client is told of, and nothing seen speaks against it."""
        if expectation.path[0] != "messages":
            return False
        wanted = str(expectation.wanted).partition(":")[0]
        seen = self.fates.state(*expectation.path[1:])
        return wanted not in SEEN_STATES and (seen is None or (seen == "ready" and expectation.path[2] not in self.broker.queues))

    def said(self) -> AsClientsSaw:
        queues = self.broker.queues.values()
        held = sum(1 for line in self.broker.channels.values() for _ in line.outstanding())
        counted = {**self.broker.counted, "ready": sum(queue.ready_count() for queue in queues), "unacked": held}
        return AsClientsSaw(self.broker.connections.version, counted, tuple(self.unseen), self.clock.late_ms)


def _is_of_one_engine(expectation: Expectation) -> bool:
    """What a queue is, as its broker has settled it: that clients have asked for it says nothing. And the very instants of runs,
    which no real clock meets."""
    path = expectation.path
    of_queue = path[0] == "queues" and (path[2] == "arguments" or path[2] in FACTS)
    return of_queue or (path[0] == "tasks" and path[2] in ("started_at", "ended_at"))


def _is_of_fates(expectation: Expectation) -> bool:
    """What has become of tasks: for that their messages are looked for, which can be done but at the end."""
    path = expectation.path
    return path[0] == "lost_tasks" or (path[0] == "tasks" and path[2] == "fate")


def _countable(expectation: Expectation) -> Expectation:
    if expectation.path[0] == "queues" and expectation.path[2] == "ready" and _is_list(expectation.wanted):
        return expectation._replace(wanted=("==", len(expectation.wanted)))
    return expectation


def _is_list(wanted: Any) -> bool:
    return isinstance(wanted, tuple) and not (len(wanted) == 2 and isinstance(wanted[1], int))
