"""From what a firehose tells to what happened: which message a delivery is of, and what its consumer answered. A broker tells of
no answers: they are inferred from what comes after, and every inference is said.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from routesim.model import Message
from routesim.named_tuples import NamedTuple
from routesim.rabbitmq.traced import ConsumerThere, TracedEvent
from routesim.recording.naming import Naming
from routesim.values import Table, plain, raw

OWN = frozenset({"headers", "priority", "expiration", "delivery_mode"})
OF_DEATHS = ("x-death", "x-first-death", "x-last-death")  # headers of the broker's own
FROM_BEFORE = "there before"
Deaths = dict[tuple[str, str], int]  # queue and reason -> how often


class TracedPublish(NamedTuple):
    id: str
    channel: str
    event: TracedEvent


class TracedDelivery(NamedTuple):
    """`consumer` None: by basic.get. `deaths`: those of the message so far. `attempt`: the n-th time to this
    consumer."""

    message: str
    queue: str
    consumer: str | None
    channel: str
    at_ms: int
    redelivered: bool
    deaths: Deaths
    attempt: int


class InferredAnswer(NamedTuple):
    """`do`: reject or requeue, `why`: what shows it. What is shown by nothing is taken as acknowledged."""

    delivery: TracedDelivery
    do: str
    why: str


class Inferred:
    """Of the events of one virtual host, in their order."""

    def __init__(self, clients: dict[str, str], consumers: Iterable[ConsumerThere]) -> None:
        self.naming = Naming()
        self.clients = clients
        self.consumers: dict[str, ConsumerThere] = {}
        self.by_place: dict[tuple[str, int, str], str] = {}
        self.publishes: list[TracedPublish] = []
        self.before: list[TracedPublish] = []
        self.deliveries: list[TracedDelivery] = []
        self.same: dict[Any, list[str]] = defaultdict(list)  # messages that cannot be told from each other, in their order
        self.reached: dict[str, tuple[str, ...]] = {}
        self.came: dict[tuple[str, str], int] = {}  # message and queue -> its last delivery from there
        self.attempts: dict[tuple[str, str], int] = defaultdict(int)
        self.counts: dict[str, int] = defaultdict(int)
        for item in consumers:
            self._consumer(item)

    def _consumer(self, item: ConsumerThere) -> None:
        name = f"{self._client(item.client)}/{item.tag}"
        while name in self.consumers:
            name += "'"
        self.consumers[name] = item
        self.by_place.setdefault((item.client, item.channel, item.queue), name)

    def _client(self, client: str) -> str:
        """Its own name, else what can be told of it."""
        return self.clients.get(client) or self.naming.connection(f"client:{client.partition(' ')[0].rpartition(':')[2]}")

    def channel(self, event: TracedEvent) -> str:
        return f"{self._client(event.client)}#{event.channel}"

    # Events --------------------------------------------------------------------------------------------------------------

    def hear(self, event: TracedEvent) -> None:
        if event.queue is None:
            self._published(event)
        else:
            self._delivered(event, event.queue)

    def _published(self, event: TracedEvent) -> None:
        client = self._client(event.client)
        self.counts[client] += 1
        own = event.properties.get("message_id")
        name = str(own) if own and str(own) not in self.reached else f"{client}/{self.counts[client]}"
        self.publishes.append(TracedPublish(name, self.channel(event), event))
        self.same[_signature(event)].append(name)
        self.reached[name] = event.queues

    def _delivered(self, event: TracedEvent, queue: str) -> None:
        message = self._message(event, queue)
        consumer = self.by_place.get((event.client, event.channel, queue))
        self.attempts[message, consumer or ""] += 1
        self.came[message, queue] = len(self.deliveries)
        self.deliveries.append(
            TracedDelivery(
                message, queue, consumer, self.channel(event), event.at_ms, event.redelivered, deaths_of(event.properties),
                self.attempts[message, consumer or ""],
            )
        )  # fmt: skip

    def _message(self, event: TracedEvent, queue: str) -> str:
        """Which one it is of those that look alike: one that has not come from there yet, of those that came the one that came
        first; of a redelivery the one that came last."""
        alike = self.same[_signature(event)]
        died = bool(deaths_of(event.properties))
        fresh = [name for name in alike if (name, queue) not in self.came and (died or queue in self.reached[name])]
        came = sorted((name for name in alike if (name, queue) in self.came), key=lambda name: self.came[name, queue])
        if event.redelivered and came:
            return came[-1]
        if fresh or came:
            return (fresh or came)[0]
        return self._from_before(event, queue)

    def _from_before(self, event: TracedEvent, queue: str) -> str:
        name = f"{FROM_BEFORE}/{len(self.before) + 1}"
        known = event._replace(at_ms=0, exchange="", routing_key=queue, queue=None, queues=(queue,))
        self.before.append(TracedPublish(name, "", known))
        self.same[_signature(event)].append(name)
        self.reached[name] = (queue,)
        return name

    # Answers -------------------------------------------------------------------------------------------------------------

    def answers(self) -> list[InferredAnswer]:
        """Those that something shows, in the order of the deliveries."""
        of: dict[str, list[TracedDelivery]] = defaultdict(list)
        for delivery in self.deliveries:
            of[delivery.message].append(delivery)
        found = []
        for message in of:
            for number, delivery in enumerate(of[message]):
                answer = None if self._acks_itself(delivery) else _answer(delivery, of[message][number + 1 :])
                if answer is not None:
                    found.append(answer)
        return sorted(found, key=lambda item: item.delivery.at_ms)

    def _acks_itself(self, delivery: TracedDelivery) -> bool:
        return delivery.consumer is not None and self.consumers[delivery.consumer].auto_ack


def _answer(delivery: TracedDelivery, after: list[TracedDelivery]) -> InferredAnswer | None:
    queue = delivery.queue
    for later in after:
        if later.deaths.get((queue, "rejected"), 0) > delivery.deaths.get((queue, "rejected"), 0):
            return InferredAnswer(delivery, "reject", f"it came from {later.queue} with x-death: {queue}, rejected")
        if later.deaths.get((queue, "delivery_limit"), 0) > delivery.deaths.get((queue, "delivery_limit"), 0):
            return InferredAnswer(delivery, "requeue", f"it came from {later.queue} with x-death: {queue}, delivery_limit")
        if later.queue == queue:
            return InferredAnswer(delivery, "requeue", f"it came from {queue} again, redelivered") if later.redelivered else None
    return None


def deaths_of(properties: Table) -> Deaths:
    headers = raw(properties.get("headers")) or {}
    found = raw(headers.get("x-death")) or []
    deaths = [item for item in map(plain, found) if isinstance(item, dict)] if isinstance(found, list) else []
    return {(str(item.get("queue")), str(item.get("reason"))): int(item.get("count", 1)) for item in deaths}


def _signature(event: TracedEvent) -> Any:
    """What stays the same of a message wherever it goes."""
    told = {name: str(plain(event.properties.get(name))) for name in ("message_id", "correlation_id", "type", "timestamp")}
    return (*told.values(), event.body)


def message_of(event: TracedEvent, body: Any) -> Message:
    """As its client sent it. Headers that say where it has died are not the client's."""
    given = event.properties
    headers = raw(given.get("headers"))
    if isinstance(headers, dict):
        headers = {name: value for name, value in headers.items() if not name.startswith(OF_DEATHS)}
    mode, priority, expiration = (raw(given.get(name)) for name in ("delivery_mode", "priority", "expiration"))
    others = {name: value for name, value in given.items() if name not in OWN}
    return Message(
        event.exchange, event.routing_key, body, headers if isinstance(headers, dict) else None, priority, expiration,
        1 if mode is None else mode, False, others,
    )  # fmt: skip
