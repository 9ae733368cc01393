"""What is asked of all courses of events: one table of properties, each with its name, its sentence and its default."""

from collections.abc import Callable, Iterator
from typing import Any

from routesim import events
from routesim.comparisons import holds, shown
from routesim.explore.facts import Overtaking, how_lost
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.expectations import Evidence, check
from routesim.run.folds.records import Deliveries, Fates, Publishers
from routesim.scenario import Expectation, Scenario

# When a property is looked at: after each move, where nothing happens by itself any more, or when all states are known.
ALWAYS, AT_END, OVER_ALL = "always", "at the end", "over all"


class Broken(NamedTuple):
    """That a property does not hold in a state: of which message, and how, in words."""

    message: str
    how: str


class Property(NamedTuple):
    """`broken`: what breaks it in a state, None: nothing; not asked of what is looked at over all states."""

    sentence: str
    when: str
    broken: Callable[[World], Broken | None] | None
    default: bool = True


def _lost(world: World) -> Broken | None:
    facts = world.facts
    if not facts.gone:
        return None
    left: set[str] | None = None
    for message, how in facts.gone.items():
        if facts.is_done(message) or message in facts.unknown:
            continue
        if left is None:
            left = world.somewhere()
        if message not in left:
            return Broken(message, how)
    return None


def _lost_confirmed(world: World) -> Broken | None:
    if not world.facts.gone or not world.facts.confirmed:
        return None
    found = _lost(world)
    if found is None or found.message in world.facts.confirmed:
        return found
    left = world.somewhere()
    for message, how in world.facts.gone.items():
        if message in world.facts.confirmed and not world.facts.is_done(message) and message not in left:
            return Broken(message, how)
    return None


def _duplicated(world: World) -> Broken | None:
    for (message, queue), times in world.facts.done.items():
        if times > 1:
            return Broken(message, f"the work of {message} from {queue} is done twice")
    return None


def _stuck(world: World) -> Broken | None:
    if world.setting.scenario.until != "idle":
        return None  # it is not the end of everything
    consumed = {hand.consumer.queue for hand in world.hands}
    for name, queue in world.broker.queues.items():
        if queue.keeps_log:
            continue
        if name in consumed:
            for copy in queue.ready():
                served = any(hand.consumes for hand in world.hands if hand.consumer.queue == name)
                why = "nobody consumes it any more" if not served else "no consumer takes it"
                return Broken(copy.message, f"it waits in {name}, and {why}")
            for message, consumer, *_ in world.broker.unacked_of(queue):
                return Broken(message, f"{consumer or 'a client'} holds it from {name} and never answers")
        for copy, reason in queue.awaiting:
            return Broken(copy.message, f"it is {reason} in {name}, and no queue takes its dead letter")
    return None


def _order(world: World) -> Broken | None:
    return _overtaken(world.facts.order, "one that came to {} after it was done before it")


def _order_by_key(world: World) -> Broken | None:
    return _overtaken(world.facts.order_by_key, "one with its routing key that came to {} after it was done before it")


def _overtaken(order: Overtaking | None, how: str) -> Broken | None:
    return None if order is None or order.late is None else Broken(order.late[0], how.format(order.late[1]))


def _unbounded(world: World) -> Broken | None:
    most = world.setting.most_ready
    for name, queue in world.broker.queues.items() if most is not None else ():
        if most is not None and not queue.keeps_log and queue.ready_count() > most:
            return Broken("", f"{queue.ready_count()} messages wait in {name}")
    return None


PROPERTIES: dict[str, Property] = {
    "lost": Property("no message is lost: published, no copy of it left anywhere, its work never done", ALWAYS, _lost),
    "lost-confirmed": Property("no message is lost that was confirmed to its publisher", ALWAYS, _lost_confirmed, default=False),
    "duplicated": Property("the work of no message is done more than once", ALWAYS, _duplicated, default=False),
    "stuck": Property("no message waits for ever in a queue that has a consumer", AT_END, _stuck),
    "order": Property(
        "the work of messages is done in the order in which they came to their queue", ALWAYS, _order, default=False
    ),
    "order-by-key": Property(
        "the work of messages with one routing key is done in the order in which they came to their queue",
        ALWAYS,
        _order_by_key,
        default=False,
    ),
    "unbounded": Property("no more messages wait in a queue than are allowed", ALWAYS, _unbounded, default=False),
    "livelock": Property("it comes to an end from everywhere", OVER_ALL, None),
}


def never_broken(world: World) -> Iterator[tuple[int, Broken]]:
    """Which rules of `never:` the last move broke, by their number."""
    remembered = world.facts.remembered
    if remembered is not None:
        for number, (message, how) in remembered.broken_now(world.now).items():
            yield number, Broken(message, how)
    first: dict[int, Any] = {}
    for event in world.events:
        if type(event) is events.Enqueued:
            about = world.setting.reaches
        elif type(event) in events.LOST and events.is_lost(event):
            about = world.setting.losses
        else:
            continue
        for number in about.of(event.message, getattr(event, "queue", None)):
            first.setdefault(number, event)
    for number, event in sorted(first.items()):
        yield number, Broken(event.message, _how(world.setting.scenario.never[number].what, event))


def _how(what: str, event: Any) -> str:
    return f"it reaches {event.queue}" if what == "reaches" else f"a copy of it is lost: {how_lost(event)}"


# Expectations that can be asked of a state, with what is remembered of the way to it.
EXPLORED_EXPECT = ("queues", "ended", "messages", "consumers", "returned", "nacked", "unroutable", "lost")


def expectations_of(scenario: Scenario) -> tuple[Expectation, ...]:
    """Those of the end that can be asked of a state."""
    return tuple(item for item in scenario.expect if item.path[0] in EXPLORED_EXPECT)


def expect_broken(world: World) -> Iterator[tuple[int, Broken]]:
    """Which expectations of the end do not hold, by their number among those that can be asked."""
    remembered = world.facts.remembered
    if remembered is None:
        evidence = Evidence(world.broker, Deliveries({}), Fates(frozenset()), Publishers(), "idle")
    else:
        evidence = Evidence(world.broker, remembered.deliveries, remembered.fates, remembered.publishers, "idle")
    for number, item in enumerate(expectations_of(world.setting.scenario)):
        if item.path[0] == "lost" and remembered is not None:  # copies of a state share one ledger
            wanted = item.wanted if isinstance(item.wanted, tuple) else ("==", item.wanted)
            if not holds(remembered.lost, wanted):
                yield number, Broken("", f"lost is {shown(item.wanted)}, found {remembered.lost}")
            continue
        found = check(item, evidence)
        if not found.ok:
            yield number, Broken("", f"{found.text}, found {found.actual}")
