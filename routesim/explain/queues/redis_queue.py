"""A queue on Redis: its lists, what can reach it, what a message out of it may meet, what it held over time (rules/celery#3)."""

from bisect import bisect
from collections.abc import Iterator
from typing import Any

from routesim.durations import duration_text
from routesim.explain.answer import Answer, CannotExplain
from routesim.explain.futures import Future, as_data
from routesim.explain.known import instead
from routesim.explain.queues.queue_history import contents_over_time, contents_section
from routesim.explain.queues.reaching import reaching, routes_section
from routesim.queues.arguments import ARGUMENTS
from routesim.redis import RedisBroker
from routesim.redis.lists import HIGHEST, LOWEST, RedisList
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.tables import BAD, NOTICE, Cell, Section
from routesim.values import plain

SEPARATOR = r"\x06\x16"  # in the name of a list, before its priority step


def explain_redis_queue(scenario: Scenario, name: str) -> Answer:
    """Raises `CannotExplain` when nobody knows a queue of that name when the run is over."""
    broker: Any = Runner(scenario, keep=False).run().broker
    queue: RedisList | None = broker.queues.get(name)
    if queue is None:
        raise CannotExplain(f"no queue '{name}' is known" + instead(name, broker.queues))
    found, later = reaching(broker, name), list(_futures(broker, queue))
    times = contents_over_time(scenario, name)
    lists = [
        {"name": name if not step else f"{name}{SEPARATOR}{step}", "priorities": _priorities(queue, number), "ready": len(level)}
        for number, (step, level) in enumerate(zip(queue.steps, queue.levels, strict=True))
    ]
    sections = (_lists(lists), _arguments(queue), routes_section(found), _later(later), contents_section(times))
    kind = f"PUB/SUB by the fanout exchange {queue.fanout[0]}: nothing is stored" if queue.fanout else f"{len(lists)} lists"
    data = {
        "queue": name, "type": queue.kind, "lists": lists,
        "reached_by": [{"exchange": start, "keys": [hop.routing_key for hop in path]} for start, path in found],
        "later": as_data(later),
        "over_time": [item.as_data() for item in times],
    }  # fmt: skip
    return Answer(f"queue {name} on Redis: {kind}", tuple(item for item in sections if item.rows), (), data)


def _priorities(queue: RedisList, number: int) -> list[int]:
    """Those whose messages go into the list of that number."""
    many = len(queue.steps)
    return [priority for priority in range(LOWEST, HIGHEST + 1) if (bisect(queue.steps, priority) - 1) % many == number]


def _lists(lists: list[dict[str, Any]]) -> Section:
    rows = [(Cell(each["name"]), Cell(", ".join(map(str, each["priorities"]))), Cell(str(each["ready"]))) for each in lists]
    return Section("Its lists, the first one is served first", ("list", "priorities", "ready at the end"), rows)


def _arguments(queue: RedisList) -> Section:
    rows = []
    for name, value in queue.arguments.items():
        row = ARGUMENTS.get(name)
        lacks = row.redis_lacks if row is not None else "it"
        effect = Cell("without effect", NOTICE) if lacks or name != "x-expires" else Cell("in force")
        rows.append((Cell(name), Cell(str(plain(value))), effect, Cell(f"Redis has no {lacks}" if lacks else "")))
    return Section("Arguments", ("argument", "value", "", ""), rows)


def _futures(broker: RedisBroker, queue: RedisList) -> Iterator[Future]:
    name, timeout = queue.name, duration_text(broker.visibility_timeout)

    def future(when: str, reason: str, why: str, *, back: bool = False) -> Future:
        return Future(0, name, when, reason, (name,) if back else (), why, False)

    if queue.fanout:
        yield future("nobody listens when it is published", "dropped", "gone: PUB/SUB stores nothing")
        return
    yield future(
        f"not acknowledged within the visibility timeout, {timeout}", "returned",
        "at the head, whether its worker is dead or only slow: it runs again", back=True,
    )  # fmt: skip
    yield future(
        "its worker is killed, or loses its connection",
        "returned",
        f"it stays in the unacked set until those {timeout} are over and a worker looks",
    )
    yield future("its worker shuts down before it is acknowledged", "returned", "at the head, at once", back=True)
    yield future("requeued", "returned", "at the tail, however often", back=True)
    yield future("rejected (requeue=false)", "rejected", "dropped: Redis has no dead letters")
    if queue.expires is not None:
        since = f"no publish and no get for {duration_text(queue.expires)} (x-expires)"
        yield future(since, "expired", "dropped: the lists are gone")


def _later(later: list[Future]) -> Section:
    rows = [
        (Cell(item.when), Cell(f"→ {item.queues[0]} {item.why}" if item.queues else item.why, BAD if item.ends_badly else NOTICE))
        for item in later
    ]
    return Section("Where its messages can go next, beside an ack", ("when", "then"), rows)
