"""Random client sessions: what a client may say, in any order, mistakes included."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from kits.amqp.twins import Said
from routesim.amqp.properties import Properties
from routesim.values import Typed

KEYS = ("", "a", "a.b", "b.c.d", "q1")
BINDING_KEYS = (*KEYS, "#", "a.*", "*.b", "a.#")
TYPES = ("direct", "fanout", "topic", "headers")


class DrawnSession:
    """Draws one session. `prefix`: of the names of its queues and exchanges; `transient`: queues that are not durable may be shared."""

    def __init__(self, seed: int, *, transient: bool = True, steps: int = 22) -> None:
        self.random = Random(seed)
        self.prefix = f"s{seed}."
        self.transient = transient
        self.steps = steps
        self.open: set[tuple[int, int]] = set()
        self.consumes: dict[tuple[int, int], str] = {}
        self.mode: dict[tuple[int, int], str] = {}
        self.queues = [f"{self.prefix}q{number}" for number in range(1, 5)]
        self.exchanges = [f"{self.prefix}x{number}" for number in range(1, 4)]
        self.kinds: dict[str, str] = {}

    def said(self) -> Iterator[Said]:
        rare, usual = list(RARE), [row for row, weight in USUAL.items() for _ in range(weight)]
        for queue in self.queues[:2]:
            yield from self._opened(0, 1)
            yield self._declare(0, 1, queue)
        for _ in range(self.steps):
            connection, channel = self.random.choice(((0, 1), (0, 1), (0, 2), (1, 1)))
            yield from self._opened(connection, channel)
            draw = self.random.choice(rare if self.random.random() < 0.06 else usual)
            said = draw(self, connection, channel)
            if said is not None:
                yield said
        yield from self._tidy()

    def _opened(self, connection: int, channel: int) -> Iterator[Said]:
        if (connection, channel) not in self.open:
            self.open.add((connection, channel))
            self.consumes.pop((connection, channel), None)
            self.mode.pop((connection, channel), None)
            yield Said(connection, channel, "channel.open", {})

    def closed(self, connection: int, channels: set[int]) -> None:
        """The other side has closed these channels."""
        self.open -= {(connection, channel) for channel in channels}

    def _tidy(self) -> Iterator[Said]:
        for name in self.queues:
            yield from self._opened(2, 1)
            yield Said(2, 1, "queue.delete", {"queue": name})
        for name in self.exchanges:
            yield from self._opened(2, 1)
            yield Said(2, 1, "exchange.delete", {"exchange": name})

    # What may be said

    def _queue(self) -> str:
        return self.random.choice((*self.queues, self.queues[0], self.queues[1]))

    def _exchange(self) -> str:
        return self.random.choice((*self.exchanges, "", "amq.topic", "amq.fanout"))

    def _declare(self, connection: int, channel: int, name: str | None = None) -> Said:
        queue, random = name or self._queue(), self.random
        kind = self.kinds.setdefault(queue, random.choice(("classic", "classic", "quorum")))
        arguments: dict[str, Any] = {}
        own = Random(f"{self.prefix}{queue}")  # mostly the same again
        if own.random() < 0.4:
            arguments["x-max-length"] = own.choice((1, 2, 5))
            if own.random() < 0.5:
                arguments["x-overflow"] = own.choice(("reject-publish", "drop-head"))
        if own.random() < 0.3:
            arguments["x-dead-letter-exchange"] = own.choice(("", "amq.fanout", self.exchanges[0]))
            arguments["x-dead-letter-routing-key"] = own.choice((self.queues[0], self.queues[1]))
        if kind == "quorum":
            arguments["x-queue-type"] = "quorum"
            if own.random() < 0.3:
                arguments["x-delivery-limit"] = own.choice((0, 1, 2))
        elif own.random() < 0.2:
            arguments["x-max-priority"] = 3
        durable = kind == "quorum" or not self.transient or own.random() < 0.7
        if random.random() < 0.1:
            arguments["x-max-length"] = random.choice((7, -1, "x", Typed("short", 2)))
        return Said(
            connection,
            channel,
            "queue.declare",
            {"queue": queue, "durable": durable, "auto_delete": kind != "quorum" and own.random() < 0.15, "arguments": arguments},
        )

    def _ask_queue(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "queue.declare", {"queue": self._queue(), "passive": True})

    def _declare_exchange(self, connection: int, channel: int) -> Said:
        name = self.random.choice(self.exchanges)
        own = Random(name)
        kind = own.choice(TYPES) if self.random.random() < 0.9 else self.random.choice((*TYPES, "no-such-type"))
        arguments = {"alternate-exchange": "amq.fanout"} if own.random() < 0.3 else {}
        return Said(
            connection,
            channel,
            "exchange.declare",
            {"exchange": name, "exchange_type": kind, "durable": own.random() < 0.5, "arguments": arguments},
        )

    def _ask_exchange(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "exchange.declare", {"exchange": self._exchange(), "exchange_type": "", "passive": True})

    def _bind(self, connection: int, channel: int) -> Said:
        arguments = {"x-match": "any", "h": self.random.randrange(2)} if self.random.random() < 0.3 else {}
        given = {"routing_key": self.random.choice(BINDING_KEYS), "arguments": arguments}
        if self.random.random() < 0.2:
            return Said(
                connection,
                channel,
                "exchange.bind",
                {"source": self._exchange(), "destination": self.random.choice(self.exchanges), **given},
            )
        return Said(connection, channel, "queue.bind", {"queue": self._queue(), "exchange": self._exchange(), **given})

    def _unbind(self, connection: int, channel: int) -> Said:
        return (
            self._bind(connection, channel)._replace(method="queue.unbind")
            if self.random.random() < 0.5
            else self._bind(connection, channel)
        )

    def _publish(self, connection: int, channel: int) -> Said:
        random = self.random
        exchange = self._exchange() if random.random() < 0.5 else ""
        key = random.choice(KEYS) if exchange else self._queue()
        headers = {"h": random.randrange(2), "s": Typed("short", 3), "t": [True, None]} if random.random() < 0.3 else None
        if random.random() < 0.05:
            headers = {"CC": [random.choice(self.queues)]}
        others = {"message_id": f"m{random.randrange(99)}", "type": "t"} if random.random() < 0.5 else {}
        properties = Properties(
            headers,
            random.choice((None, None, 1, 3)),
            "x1" if random.random() < 0.02 else None,
            random.choice((None, 1, 2, 2)),
            others,
        )
        given = {"exchange": exchange, "routing_key": key, "mandatory": random.random() < 0.4}
        return Said(connection, channel, "basic.publish", given, properties, random.choice((b"", b"x", b"body\xff" * 3)))

    def _consume(self, connection: int, channel: int) -> Said | None:
        """A channel consumes one queue: what comes from two at once comes in no fixed order."""
        queue = self.consumes.setdefault((connection, channel), self._queue())
        arguments = {"x-priority": self.random.randrange(-1, 3)} if self.random.random() < 0.2 else {}
        given = {
            "queue": queue,
            "consumer_tag": f"t{self.random.randrange(4)}-{connection}{channel}",
            "no_ack": self.random.random() < 0.25,
        }
        return Said(
            connection, channel, "basic.consume", {**given, "exclusive": self.random.random() < 0.08, "arguments": arguments}
        )

    def _cancel(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "basic.cancel", {"consumer_tag": f"t{self.random.randrange(4)}-{connection}{channel}"})

    def _get(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "basic.get", {"queue": self._queue(), "no_ack": self.random.random() < 0.3})

    def _answer(self, connection: int, channel: int) -> Said:
        """Which delivery is meant the driver knows: `TAG` stands for one that is open."""
        random, multiple = self.random, self.random.random() < 0.3
        kind = random.choice(("ack", "ack", "nack", "reject"))
        given: dict[str, Any] = {"delivery_tag": "TAG" if random.random() < 0.95 else 99}
        if kind != "reject":
            given["multiple"] = multiple
        if kind != "ack":
            given["requeue"] = random.random() < 0.6
        return Said(connection, channel, f"basic.{kind}", given)

    def _qos(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "basic.qos", {"prefetch_count": self.random.choice((0, 1, 2, 3))})

    def _purge(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "queue.purge", {"queue": self._queue()})

    def _delete(self, connection: int, channel: int) -> Said:
        flags = {"if_empty": self.random.random() < 0.3, "if_unused": self.random.random() < 0.3}
        return Said(connection, channel, "queue.delete", {"queue": self._queue(), **flags})

    def _delete_exchange(self, connection: int, channel: int) -> Said:
        return Said(
            connection, channel, "exchange.delete", {"exchange": self._exchange(), "if_unused": self.random.random() < 0.3}
        )

    def _confirms(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "confirm.select", {})

    def _tx(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, f"tx.{self.random.choice(('select', 'commit', 'commit', 'rollback'))}", {})

    def _recover(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "basic.recover", {"requeue": True})

    def _close(self, connection: int, channel: int) -> Said:
        self.open.discard((connection, channel))
        return Said(connection, channel, "channel.close", {"reply_code": 200, "reply_text": "bye"})

    def _close_connection(self, connection: int, channel: int) -> Said:
        self.closed(connection, {1, 2})
        return Said(connection, 0, "connection.close", {"reply_code": 200, "reply_text": "bye"})

    def _crash(self, connection: int, channel: int) -> Said:
        self.closed(connection, {1, 2})
        return Said(connection, 0, "", {}, crash=True)

    def _server_named(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "queue.declare", {"queue": "", "exclusive": True})

    def _last_queue(self, connection: int, channel: int) -> Said:
        method = self.random.choice(("basic.get", "queue.bind", "queue.purge"))
        given = {"queue": "", "exchange": "amq.topic", "routing_key": ""} if method == "queue.bind" else {"queue": ""}
        return Said(connection, channel, method, given)

    def _exclusive(self, connection: int, channel: int) -> Said:
        return Said(connection, channel, "queue.declare", {"queue": self.queues[3], "exclusive": True})

    def _wrong(self, connection: int, channel: int) -> Said:
        method, given = self.random.choice(MISTAKES)
        return Said(connection, channel, method, given)

    def _replies(self, connection: int, channel: int) -> Said:
        given = {"queue": "amq.rabbitmq.reply-to", "consumer_tag": "r", "no_ack": self.random.random() < 0.9}
        return Said(connection, channel, "basic.consume", given)

    def _request(self, connection: int, channel: int) -> Said:
        properties = Properties(others={"reply_to": "amq.rabbitmq.reply-to"})
        return Said(connection, channel, "basic.publish", {"exchange": "", "routing_key": self._queue()}, properties, b"?")


MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("channel.open", {}), ("basic.qos", {"prefetch_size": 1}), ("channel.flow", {"active": False}), ("basic.recover", {"requeue": False}),
    ("basic.get", {"queue": "none"}), ("queue.declare", {"queue": "amq.mine"}), ("exchange.declare", {"exchange": "amq.mine", "exchange_type": "direct"}),
    ("exchange.declare", {"exchange": "", "exchange_type": "direct"}), ("exchange.delete", {"exchange": "amq.direct"}),
    ("queue.bind", {"queue": "none", "exchange": "none"}), ("basic.consume", {"queue": "none"}), ("access.request", {"realm": "/data"}),
    ("basic.cancel-ok", {"consumer_tag": "none"}), ("queue.declare-ok", {"queue": "q"}), ("queue.declare", {"queue": "x\n", "passive": True}),
    ("basic.recover-async", {"requeue": True}), ("queue.purge", {"queue": "none"}), ("queue.delete", {"queue": "none"}),
]  # fmt: skip
Draw = Callable[[DrawnSession, int, int], Said | None]
USUAL: dict[Draw, int] = {
    DrawnSession._publish: 14, DrawnSession._get: 6, DrawnSession._consume: 5, DrawnSession._answer: 10, DrawnSession._declare: 4, DrawnSession._ask_queue: 2, DrawnSession._bind: 6,
    DrawnSession._declare_exchange: 3, DrawnSession._qos: 2, DrawnSession._cancel: 2, DrawnSession._confirms: 1, DrawnSession._purge: 1,
}  # fmt: skip
RARE: tuple[Draw, ...] = (
    DrawnSession._delete, DrawnSession._unbind, DrawnSession._ask_exchange, DrawnSession._delete_exchange, DrawnSession._tx, DrawnSession._tx, DrawnSession._recover, DrawnSession._close,
    DrawnSession._close_connection, DrawnSession._crash, DrawnSession._server_named, DrawnSession._last_queue, DrawnSession._exclusive, DrawnSession._wrong, DrawnSession._wrong,
    DrawnSession._wrong, DrawnSession._replies, DrawnSession._request, DrawnSession._tx,
)  # fmt: skip
