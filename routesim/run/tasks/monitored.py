"""A scenario run under a monitor's eyes."""

from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.run.budget import BUDGET_EVENTS
from routesim.run.folds.depths import Depth, Depths
from routesim.run.folds.fold import Listener, fan_out
from routesim.run.folds.monitoring import Monitor
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.run.tasks.fates import Fate, Unconsumed, task_fates, unconsumed
from routesim.scenario import Scenario
from routesim.values import raw


class Pending(NamedTuple):
    """A task's message that waits in `queue`, and that no worker has received yet."""

    task: str
    name: str
    queue: str


class Monitored(NamedTuple):
    """`at_ms`: the moment that is shown, the end of the run or an earlier one."""

    result: Result
    at_ms: int
    depths: dict[str, list[Depth]]
    monitor: Monitor
    pending: list[Pending]
    fates: dict[str, Fate]
    unconsumed: list[Unconsumed]


class Sample(NamedTuple):
    """All values at one instant; a queue that does not exist then is left out."""

    at_ms: int
    queues: dict[str, tuple[int, int]]
    workers: dict[str, tuple[int, int, int]]


def watch(
    scenario: Scenario, at_ms: int | None = None, *, listener: Listener | None = None, max_events: int = BUDGET_EVENTS
) -> Monitored:
    """Run it to its end, or up to and including the instant `at_ms`. `listener` hears every event too."""
    depths, monitor = Depths(), Monitor(scenario.workers, scenario.tasks)
    result = Runner(scenario, fan_out(listener, [depths, monitor]), until=at_ms, max_events=max_events, keep=False).run()
    depths.advance(result.clock_ms)
    monitor.advance(result.clock_ms)
    fates = {} if result.processes is None else task_fates(monitor.records, result.processes, result.broker)
    waiting = pending(result, monitor)
    return Monitored(result, result.clock_ms, depths.of, monitor, waiting, fates, unconsumed(result, fates))


def pending(result: Result, monitor: Monitor) -> list[Pending]:
    """In the order of the queues. A message is a task's when it says so in its header `task`."""
    found: dict[str, Pending] = {}
    for queue in result.broker.queues.values():
        if queue.keeps_log:
            continue
        for copy in queue.ready():
            headers = copy.content.headers or {}
            name, id = raw(headers.get("task")), raw(headers.get("id"))
            if not isinstance(name, str):
                continue
            task = id if isinstance(id, str) else copy.message
            if task not in monitor.tasks:
                found.setdefault(task, Pending(task, name, queue.name))
    return list(found.values())


def samples(seen: Monitored, every_ms: int) -> list[Sample]:
    """What was at 0, `every_ms`, twice that … and at the end."""
    instants = list(range(0, seen.at_ms + 1, every_ms))
    if instants[-1] != seen.at_ms:
        instants.append(seen.at_ms)
    queues = {name: _sampled(points, instants) for name, points in seen.depths.items()}
    workers = {name: _sampled(worker.loads, instants) for name, worker in seen.monitor.workers.items()}
    found = []
    for place, at_ms in enumerate(instants):
        depths = {name: values[place] for name, values in queues.items()}
        loads = {name: values[place] or (0, 0, 0) for name, values in workers.items()}
        found.append(Sample(at_ms, {name: depth for name, depth in depths.items() if depth is not None}, loads))
    return found


def _sampled(points: list[Any], instants: list[int]) -> list[Any]:
    """The values at each of the instants, which ascend; None: before the first point."""
    found: list[Any] = []
    place, values = 0, None
    for at_ms in instants:
        while place < len(points) and points[place].at_ms <= at_ms:
            values = tuple(points[place][1:])
            place += 1
        found.append(values)
    return found
