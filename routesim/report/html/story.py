"""A run as moments that a reader can step through: each with its row of the trace, its way, and what it changed."""

from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.graph import EdgeKey, EventEdges, Graph, Key, graph_of
from routesim.graph.model import CONSUMER, EXCHANGE, QUEUE
from routesim.named_tuples import NamedTuple
from routesim.report.html.drawings import Picture, drawings_of
from routesim.report.html.moments import Frame
from routesim.report.html.opening import opening
from routesim.report.trace.filtering import RowFilter
from routesim.report.trace.rounds import Rounds
from routesim.report.trace.rows import Row, Rows
from routesim.run import Result
from routesim.run.folds.depths import Depths
from routesim.run.folds.fold import Fold
from routesim.run.folds.monitoring import Monitor
from routesim.scenario import Scenario
from routesim.text import cut, visible

MAX_MOMENTS = 20_000
MAX_LOOKED_THROUGH = 300  # from so many unacked messages in a queue on, it is not looked through for those of one consumer
SHOWN_IDS, LONGEST_IDS = 3, 20
WITHOUT_STAGE = RowFilter(stage=False)


class Story(NamedTuple):
    """A run that is over. `whole` is its topology with all that there is, by whose nodes and edges moments are told; `drawings`
    show it, the first one to begin with. `left_out`: how many rows of the trace came after those that have a moment.
    `monitor`: only where the scenario has worker processes."""

    result: Result
    whole: Graph
    drawings: list[Picture]
    moments: list[Frame]
    left_out: int
    depths: Depths
    kept: bool
    monitor: Monitor | None = None

    @property
    def graph(self) -> Graph:
        """What is drawn at first."""
        return self.drawings[0].graph

    @property
    def opening(self) -> int:
        """The number of the moment to begin with."""
        return opening(self.result, self.moments)

    @property
    def live(self) -> bool:
        """On a real broker, which tells nobody what waits in its queues: only what clients hold is known before the end."""
        return self.result.real is not None

    @property
    def scenario(self) -> Scenario:
        return self.result.scenario


class Recorder(Fold):
    """Makes a story of a run. The first moment is that before the first step; the last one, which `finished` adds, its end."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.rows, self.ways, self.depths = Rows(), EventEdges(), Depths()
        self.rounds = Rounds(scenario)
        self.monitor = _monitor(scenario)
        self.moments = [Frame(0, None, -1, "before the first step", (), False, (), {}, {})]
        self.left_out = 0
        self.known: dict[str, tuple[int, int]] = {}
        self.held: dict[str, str] = {}
        self.by_name: set[EdgeKey] = set()  # by the default exchange, which is drawn only where it is used

    def hear(self, event: Any) -> None:
        self.depths.hear(event)
        if self.monitor is not None:
            self.monitor.hear(event)
        row = self.rows.row(event)
        started = type(event) is events.StepStarted
        if row is not None and self._folds(event, row):
            return
        if len(self.moments) > MAX_MOMENTS:
            self.left_out += row is not None
            return
        if row is not None or started:
            self.ways.hear(event)
            ways = self.ways.edges
            self.by_name.update(way for way in ways if not way[0].name or way[0].name == "(default exchange)")
            back = type(event) is events.Requeued
            stage = bool(self.scenario.workers) and not started and not WITHOUT_STAGE.shows(event)
            self.moments.append(Frame(
                event.at_ms, row, event.step if started else -1, event.text if started else "", tuple(ways), back,
                tuple(self._touched(event)), {}, {}, stage,
            ))  # fmt: skip
        self._note_changes(event, self.moments[-1])

    def _folds(self, event: Any, row: Row) -> bool:
        """Whether it has no moment of its own, being of a round as there were many; the first one that has one again comes after
        one that says how many there were."""
        if self.rounds.hides(event, row):
            self.ways.hear(event)
            self._note_changes(event, self.moments[-1])
            return True
        if row.message and (told := self.rounds.told(row.message)):
            self._note_rounds(event.at_ms, told)
        return False

    def _note_rounds(self, at_ms: int, told: str) -> None:
        if len(self.moments) <= MAX_MOMENTS:
            self.moments.append(Frame(at_ms, None, -1, told, (), False, (), {}, {}))

    def finished(self, result: Result, kept: bool) -> Story:
        for told in self.rounds.rest():
            self._note_rounds(result.clock_ms, told)
        depths = dict(self._changed_depths(None))
        if result.real is not None:  # only now it was asked what is in its queues
            depths = {name: (queue.ready_count(), queue.unacked) for name, queue in result.broker.queues.items()}
        holds = dict(self._changed_holds(self.depths.situation.consumers))
        end = Frame(result.clock_ms, None, -1, f"the end: {result.ended}", (), False, (), depths, holds)
        self.moments.append(end)
        if self.monitor is not None:
            self.monitor.advance(result.clock_ms)
        whole = self._graph()
        used = self._used() if result.real is None else None
        drawings = drawings_of(whole, used, of_celery=bool(self.scenario.workers))
        return Story(result, whole, drawings, self.moments, self.left_out, self.depths, kept, self.monitor)

    def _graph(self) -> Graph:
        graph = graph_of(self.scenario, self.by_name)
        nodes = {key: node._replace(taken=False) for key, node in graph.nodes.items()}
        return graph._replace(nodes=nodes, edges=tuple(edge._replace(taken=False) for edge in graph.edges))

    def _used(self) -> set[Key]:
        """The queues in which a message ever was, and the exchanges that it came to."""
        passed = {key for moment in self.moments for way in moment.ways for key in way[:2]}
        passed |= {key for moment in self.moments for key in moment.keys if key.kind == EXCHANGE}
        return passed | {
            Key(QUEUE, name) for name, points in self.depths.of.items() if any(point.ready or point.unacked for point in points)
        }

    # What an event is about and changes --------------------------------------------------------------------------------

    def _touched(self, event: Any) -> Iterator[Key]:
        if getattr(event, "exchange", None) is not None:
            yield Key(EXCHANGE, event.exchange or "(default exchange)")
        if getattr(event, "queue", None) is not None:
            yield Key(QUEUE, event.queue)
        for name in ("consumer", "by"):
            if getattr(event, name, None) in self.scenario.consumers:
                yield Key(CONSUMER, getattr(event, name))

    def _note_changes(self, event: Any, moment: Frame) -> None:
        of_all = type(event) in events.CUTS_OFF or bool(self.depths.situation.releases)
        name = getattr(event, "queue", None)
        if of_all or name is not None:
            queues = None if of_all else name
            moment.depths.update(self._changed_depths(queues))
            consumers = self.depths.situation.consumers
            here = [item for item, consuming in consumers.items() if of_all or consuming.queue == name]
            moment.holds.update(self._changed_holds([item for item in here if self._concerned(item, event)]))
            gone = [item for item in self.held if item not in consumers]
            moment.holds.update((item, "") for item in gone)
            for item in gone:
                del self.held[item]

    def _concerned(self, consumer: str, event: Any) -> bool:
        return bool(self.held.get(consumer)) or getattr(event, "consumer", consumer) == consumer

    def _changed_depths(self, only: str | None) -> Iterator[tuple[str, tuple[int, int]]]:
        queues = self.depths.situation.queues
        for name in [only] if only is not None else [*queues, *(name for name in self.known if name not in queues)]:
            queue = queues.get(name)
            depth = (len(queue.messages), len(queue.unacked)) if queue is not None else (0, 0)
            if self.known.get(name, (0, 0)) != depth:
                self.known[name] = depth
                yield name, depth

    def _changed_holds(self, consumers: Any) -> Iterator[tuple[str, str]]:
        for name in consumers:
            text = self._holding(name)
            if self.held.get(name, "") != text:
                self.held[name] = text
                yield name, text

    def _holding(self, consumer: str) -> str:
        """What a consumer has been sent and not answered, in a few words."""
        situation = self.depths.situation
        consuming = situation.consumers[consumer]
        unacked = situation.queue(consuming.queue).unacked
        if len(unacked) > MAX_LOOKED_THROUGH:
            alone = sum(item.queue == consuming.queue for item in situation.consumers.values()) == 1
            return f"{'' if alone else 'some of '}{len(unacked):,} messages"
        return _ids([item.message for item in situation.held_by(consumer)]) if unacked else ""


def _monitor(scenario: Scenario) -> Monitor | None:
    return Monitor(scenario.workers, scenario.tasks) if scenario.workers else None


def _ids(ids: list[str]) -> str:
    """The first ids, as far as there is room, and how many more there are."""
    shown = ", ".join(visible(item) for item in ids[:SHOWN_IDS])
    if len(shown) > LONGEST_IDS or len(ids) > SHOWN_IDS:
        first = cut(visible(ids[0]), LONGEST_IDS - 6) if ids else ""
        return f"{first} +{len(ids) - 1:,}" if len(ids) > 1 else first
    return shown
