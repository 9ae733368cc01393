"""Why a scenario goes another way on Redis than on RabbitMQ: classes of differences, each with what shows it in two runs."""

from collections.abc import Iterator
from itertools import pairwise

from routesim.model import DEFAULT_EXCHANGE
from routesim.named_tuples import NamedTuple
from routesim.redis.settling import OVERDUE
from routesim.run.folds.traits import RunTraits
from routesim.scenario import PublishMany, Scenario

# Each class of difference, with the rule behind it (rules/celery#3).
CLASSES: dict[str, str] = {
    "visibility timeout": "Redis gives back what is not acknowledged in time, whether its worker is dead or only slow, and it "
    "runs again; RabbitMQ waits for the worker",
    "no requeue on disconnect": "RabbitMQ gives the messages of a lost connection back at once; on Redis they come back when the "
    "visibility timeout is over",
    "inverted priority": "on Redis 0 is the first to be served and 9 the last, and it needs no x-max-priority; on RabbitMQ the "
    "higher number is first",
    "tail restore": "what a worker rejects with requeue goes to the end of a Redis list; RabbitMQ puts it back where it was",
    "restored in reverse": "a worker that shuts down gives its messages back to Redis last first; RabbitMQ keeps their order",
    "fanout without storage": "on Redis a fanout exchange is PUB/SUB: who is not subscribed at that moment never gets it, "
    "whatever is bound",
    "fanout to each consumer": "on Redis every consumer of a queue that is bound to a fanout exchange gets each message; on "
    "RabbitMQ they share what is in the queue",
    "topic matching": "kombu's Redis transport makes a regular expression of a topic key, in which the dots beside # stay: "
    "ship.# does not match ship",
    "no such exchange type": "kombu's Redis transport knows direct, topic and fanout exchanges alone: others route nothing",
    "no TTL": "Redis has no message TTL: what expires on RabbitMQ stays in the list, and a worker finds it",
    "no dead letters": "Redis has no dead-letter exchanges: what a worker rejects is gone",
    "no limits": "Redis has no queue limits and no delivery limit: nothing is turned away or dropped",
    "no refusals": "RabbitMQ closes a channel or a connection with an error; Redis refuses nothing and has no timeout for "
    "acknowledgements",
    "nobody is told": "Redis has neither mandatory nor returns: who publishes never learns that a message reached no queue",
    "queues stay": "Redis has no exclusive queues, and no auto-delete ones but of fanout: a list stays when its client is gone",
    "whose turn": "among consumers that are free RabbitMQ goes round; on Redis each asks for itself, and who has been asking "
    "longest gets the next message",
    "not on Redis": "kombu's Redis transport does not have all that RabbitMQ has",
    "restart": "what a restart of the server keeps: RabbitMQ durable queues and persistent messages, Redis its last snapshot",
}  # fmt: skip
EXPIRED = "expired"
LIMITS = ("maxlen", "delivery_limit")
KNOWN_TYPES = ("direct", "topic", "fanout")
BACK = ("reject", "nack")


class RedisDifference(NamedTuple):
    """A class of `CLASSES`, when it was seen first, in what, and how often."""

    name: str
    at_ms: int
    shown: str
    times: int


# Rules -------------------------------------------------------------------------------------------------------------------


def differences(scenario: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> list[RedisDifference]:
    """The classes that show in the two runs, in the order in which they show first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for rule in (_coming_back, _going_away, _routing, _order, _telling):
        for name, at_ms, shown in rule(scenario, rabbitmq, redis):
            found.setdefault(name, []).append((at_ms, shown))
    differences = [RedisDifference(name, *min(items), len(items)) for name, items in found.items()]
    return sorted(differences, key=lambda item: (item.at_ms, list(CLASSES).index(item.name)))


def turns(rabbitmq: RunTraits, redis: RunTraits) -> list[RedisDifference]:
    """Messages that went to another consumer of the same queue: what every other difference leads to as well, so that it is
    a reason only where there is no other."""
    found = [
        (at_ms, f"{message} of {queue} goes to {rabbitmq.takers[queue, message]} on RabbitMQ, to {taker} on Redis")
        for queue, deliveries in rabbitmq.order.items()
        for at_ms, message in deliveries
        if (taker := redis.takers.get((queue, message))) not in (None, rabbitmq.takers[queue, message])
    ]
    return [RedisDifference("whose turn", *min(found), len(found))] if found else []


def lacking(redis: RunTraits) -> list[RedisDifference]:
    """What kombu's Redis transport said that it does not have; it is said of every queue of every worker, so that it is a
    reason only where there is no other."""
    return [RedisDifference("not on Redis", item.at_ms, item.why, 1) for item in redis.warned[:1]]


Found = Iterator[tuple[str, int, str]]


def _coming_back(_: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> Found:
    for item in redis.requeued:
        if item.why == OVERDUE:
            yield "visibility timeout", item.at_ms, f"{item.message} comes back to {item.queue}"
    back = {(item.message, item.at_ms) for item in redis.requeued}
    for item in rabbitmq.requeued:
        if item.why == "connection lost" and (item.message, item.at_ms) not in back:
            yield "no requeue on disconnect", item.at_ms, f"{item.message} comes back to {item.queue} on RabbitMQ alone"
    for item in redis.behind:
        if item.why in BACK:
            yield "tail restore", item.at_ms, f"{item.message} goes behind all that wait in {item.queue}"
    for queue in dict.fromkeys(item.queue for item in redis.requeued):
        given = [item for item in redis.requeued if item.queue == queue and item.why not in (*BACK, OVERDUE, "recover")]
        if len(given) > 1:
            yield "restored in reverse", given[0].at_ms, f"{len(given)} messages come back to {queue}, {given[-1].message} first"


def _going_away(_: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> Found:
    gone = {(item.message, item.queue, item.why) for item in redis.removed}
    for item in rabbitmq.removed:
        if (item.message, item.queue, item.why) in gone:
            continue
        if item.why == EXPIRED:
            yield "no TTL", item.at_ms, f"{item.message} expires in {item.queue} on RabbitMQ alone"
        elif item.why in LIMITS:
            yield "no limits", item.at_ms, f"{item.message} leaves {item.queue} on RabbitMQ: {item.why}"
        elif item.why == "dead-lettered":
            yield "no dead letters", item.at_ms, f"{item.message} is dead-lettered from {item.queue} on RabbitMQ alone"
        elif item.why == "restart":
            yield "restart", item.at_ms, f"{item.message} is lost on RabbitMQ, and not on Redis"
    kept = {(item.message, item.queue) for item in rabbitmq.removed if item.why == "restart"}
    for item in redis.removed:
        if item.why == "restart" and (item.message, item.queue) not in kept:
            yield "restart", item.at_ms, f"{item.message} is lost on Redis, and not on RabbitMQ"


def _routing(_: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> Found:
    """Messages of which both runs have the same, sent to other queues."""
    for message, (exchange, key, at_ms) in rabbitmq.exchanges.items():
        if exchange == DEFAULT_EXCHANGE or redis.exchanges.get(message, ("",))[0] != exchange:
            continue
        ours, theirs = set(rabbitmq.reached.get(message, ())), set(redis.reached.get(message, ()))
        kind = rabbitmq.types.get(exchange, "")
        more = [queue for queue in ours & theirs if redis.reached[message].count(queue) > rabbitmq.reached[message].count(queue)]
        if kind == "fanout" and more:
            yield "fanout to each consumer", at_ms, f"{message} goes to every consumer of {_queues(set(more))}"
        if ours == theirs or kind == "direct":
            continue
        name = {"fanout": "fanout without storage", "topic": "topic matching"}.get(kind, "no such exchange type")
        where = f"{_queues(ours)} on RabbitMQ, {_queues(theirs)} on Redis"
        yield name, at_ms, f"{message} with key '{key}' reaches {where}"
    used = {queue for facts in (rabbitmq, redis) for queues in facts.reached.values() for queue in queues}
    gone = {item.queue for item in redis.deleted}
    for item in rabbitmq.deleted:
        if item.queue in used - gone:
            name = "restart" if item.why.startswith("not durable") else "queues stay"
            yield name, item.at_ms, f"{item.queue} is deleted on RabbitMQ alone: {item.why}"


def _queues(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) + (" …" if len(names) > 3 else "")
    return shown or "no queue"


def _order(scenario: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> Found:
    """Two messages of other priorities that come out of a queue the other way round."""
    priorities = dict(_priorities(scenario))
    if len({priority or 0 for priority in priorities.values()}) < 2:
        return
    for queue, deliveries in rabbitmq.order.items():
        places = {message: place for place, (_, message) in enumerate(redis.order.get(queue, ()))}
        mine = [(at_ms, message) for at_ms, message in deliveries if message in places and message in priorities]
        for (at_ms, before), (_, after) in pairwise(mine):
            one, other = priorities[before] or 0, priorities[after] or 0
            if places[before] > places[after] and one != other:
                yield "inverted priority", at_ms, f"{after} (priority {other}) comes before {before} (priority {one}) on Redis"


def _priorities(scenario: Scenario) -> Iterator[tuple[str, int | None]]:
    for step in scenario.steps:
        if isinstance(step.action, PublishMany):
            for index in range(step.action.times):
                yield step.action.id(index), step.action.message.priority


def _telling(_: Scenario, rabbitmq: RunTraits, redis: RunTraits) -> Found:
    for item in rabbitmq.refused:
        yield "no refusals", item.at_ms, f"RabbitMQ closes {item.message}: {item.why}"
    for item in rabbitmq.returned:
        yield "nobody is told", item.at_ms, f"{item.message} is returned on RabbitMQ alone"
