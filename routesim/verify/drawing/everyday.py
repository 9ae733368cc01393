"""A random scenario of what every broker has: exchanges, queues, bindings, consumers, and steps that use them."""

from random import Random
from typing import Any

Document = dict[str, Any]

TYPES = (
    "direct", "direct", "fanout", "topic", "topic", "headers", "x-consistent-hash", "x-modulus-hash", "x-recent-history",
)  # fmt: skip
KEYS = ("", "a", "b", "a.b", "a.b.c", "b.a")
PATTERNS = ("", "a", "#", "*", "a.*", "a.#", "*.b", "#.c", "a.#.c")
HEADERS: tuple[dict[str, Any], ...] = ({}, {"h": 1}, {"h": "1"}, {"h": 1, "g": "x"}, {"g": True}, {"h": 1.0})
LISTS = ("exchanges", "queues", "consumers")


class Drawing:
    """The names of exchanges are x0, x1 …, of queues q0 …, of consumers c0 …."""

    def __init__(self, random: Random, types: frozenset[str]) -> None:
        self.random = random
        self.types = [kind for kind in TYPES if kind in types]
        self.kind = random.choice(("classic", "classic", "classic", "quorum", "quorum", "mixed"))
        self.expiring = random.random() < 0.12

    def some(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def often(self, probability: float) -> bool:
        return self.random.random() < probability

    def document(self, name: str) -> Document:
        self.exchanges = {f"x{number}": self._exchange(number) for number in range(self.random.randint(1, 3))}
        self.queues = {f"q{number}": self._queue(number) for number in range(self.random.randint(1, 4))}
        self.consumers = {f"c{number}": self._consumer(number) for number in range(self.random.randint(0, 3))}
        found: Document = {"name": name, "exchanges": self.exchanges, "queues": self.queues}
        found["bindings"] = [self._binding() for _ in range(self.random.randint(1, 5))]
        if self.often(0.15):
            found["policies"] = [self._policy("p0")]
        if self.consumers:
            found["consumers"] = self.consumers
        found["steps"] = [self._step() for _ in range(self.random.randint(5, 25))]
        if self.expiring:
            found["steps"].insert(self.random.randint(len(found["steps"]) // 2, len(found["steps"])), {"wait": "1200ms"})
            found["steps"].append({"wait": "1200ms"})
        found["until"] = "steps"
        return found

    # Topology ------------------------------------------------------------------------------------------------------------

    def _exchange(self, number: int) -> Document:
        found: Document = {"type": self.some(*self.types)}
        if number and self.often(0.2):
            found["arguments"] = {"alternate-exchange": self.some("x0", "nowhere")}
        if self.often(0.1):
            found["auto_delete"] = True
        return found

    def _queue(self, number: int) -> Document:
        quorum = self.kind == "quorum" or (self.kind == "mixed" and number % 2 == 1)
        arguments: Document = {}
        if self.often(0.4):
            arguments["x-dead-letter-exchange"] = self.some("", "x0", "x1", "nowhere")
            if self.often(0.6):
                arguments["x-dead-letter-routing-key"] = self.some("q0", "q1", "q2", "a", "a.b")
        if self.often(0.25):
            arguments["x-max-length"] = self.random.randint(0, 4)
            if self.often(0.5):
                arguments["x-overflow"] = self.some("drop-head", "reject-publish", "reject-publish-dlx")
        if self.often(0.08):
            arguments["x-max-length-bytes"] = self.random.randint(0, 12)
        if self.often(0.12):
            arguments["x-single-active-consumer"] = True
        if quorum and self.often(0.35):
            arguments["x-delivery-limit"] = self.random.randint(0, 3)
        if not quorum and self.often(0.15):
            arguments["x-max-priority"] = self.random.randint(1, 5)
        if self.expiring and self.often(0.7):
            arguments["x-message-ttl"] = self.some(300, 500)
        found: Document = {"type": "quorum"} if quorum else {}
        if not quorum and self.often(0.08):
            found["auto_delete"] = True
        if not quorum and self.often(0.1):
            found["durable"] = False
        if arguments:
            found["arguments"] = arguments
        return found

    def _binding(self) -> Document:
        source = self.some(*self.exchanges)
        kind = self.exchanges[source]["type"]
        found: Document = {"source": source, "destination": self.some(*self.queues)}
        if len(self.exchanges) > 1 and self.often(0.15):
            found |= {"destination": self.some(*(set(self.exchanges) - {source})), "destination_type": "exchange"}
        if kind == "headers":
            found["arguments"] = {**self.some(*HEADERS), "x-match": self.some("all", "any")}
        else:
            found["routing_key"] = self.some("1", "2") if kind == "x-consistent-hash" else self.some(*PATTERNS)
        return found

    def _policy(self, name: str) -> Document:
        definition = self.some({"max-length": self.random.randint(0, 3)}, {"dead-letter-exchange": "x0"}, {"delivery-limit": 1})
        return {"name": name, "pattern": self.some("^q", "^q0$", ".*"), "apply-to": "queues", "definition": definition}

    def _consumer(self, number: int) -> Document:
        queue = self.some(*self.queues)
        found: Document = {"queue": queue, "prefetch": self.random.randint(0, 3), "on_message": "hold"}
        if self.often(0.12):
            found["auto_ack"] = True
        elif self.often(0.25):
            found["on_message"] = self.some("ack", "reject", [{"attempt": 1, "do": "requeue"}])
        if self.often(0.2):
            found["priority"] = self.random.randint(-1, 2)
        if self.often(0.05):
            found["exclusive"] = True
        if self.often(0.3):
            found["start"] = False
        if number and self.often(0.2):
            found["channel"] = "shared"
        return found

    # Steps -----------------------------------------------------------------------------------------------------------------

    def _step(self) -> Document:
        makers = [self._publish] * 10 + [self._get] * 2 + [self._bind, self._delete, self._purge, self._declare, self._mistake]
        if self.consumers:
            makers += [self._answer] * 8 + [self._consumer_step] * 3
        step: Document = self.random.choice(makers)()
        return step

    def _publish(self) -> Document:
        exchange = self.some("", *self.exchanges)
        message: Document = {"exchange": exchange}
        message["routing_key"] = self.some(*self.queues, "nowhere") if not exchange else self.some(*KEYS)
        if self.often(0.3):
            message["headers"] = dict(self.some(*HEADERS))
        if self.often(0.07):
            message["headers"] = {self.some("CC", "BCC"): [self.some(*self.queues)]}
        for name, value, probability in (
            ("priority", self.random.randint(0, 6), 0.15), ("mandatory", True, 0.15), ("delivery_mode", 1, 0.2),
            ("body", "x" * self.random.randint(1, 8), 0.3), ("count", self.random.randint(2, 3), 0.15),
        ):  # fmt: skip
            if self.often(probability):
                message[name] = value
        if self.expiring and self.often(0.3):
            message["expiration"] = self.some("0", "400")
        return {"publish": message}

    def _get(self) -> Document:
        return {"get": {"queue": self.some(*self.queues), "auto_ack": self.often(0.5)}}

    def _answer(self) -> Document:
        consumer = self.some(*self.consumers)
        if self.often(0.06):
            return {"recover": {"consumer": consumer}}
        verb = self.some("ack", "ack", "nack", "nack", "reject")
        value: Document = {"consumer": consumer, "delivery_tag": self.random.randint(1, 5)}
        if verb != "reject" and self.often(0.3):
            value |= {"multiple": True, "delivery_tag": self.random.randint(0, 5)}
        if verb != "ack":
            value["requeue"] = self.often(0.6)
        return {verb: value}

    def _consumer_step(self) -> Document:
        consumer = self.some(*self.consumers)
        verb = self.some("consume", "consume", "cancel", "crash", "close")
        queue = self.queues.get(self.consumers[consumer]["queue"], {})
        if verb == "cancel" and queue.get("arguments", {}).get("x-single-active-consumer") and "type" not in queue:
            verb = "crash"
        return {verb: consumer}

    def _bind(self) -> Document:
        return {self.some("bind", "unbind"): self._binding()}

    def _delete(self) -> Document:
        if self.often(0.3):
            return {"delete": {"exchange": self.some(*self.exchanges), "if_unused": self.often(0.5)}}
        return {"delete": {"queue": self.some(*self.queues), "if_empty": self.often(0.3), "if_unused": self.often(0.3)}}

    def _purge(self) -> Document:
        return {"purge": self.some(*self.queues)}

    def _declare(self) -> Document:
        name = self.some(*self.queues)
        return {"declare": {"queues": {name: self.queues[name]}}}

    def _mistake(self) -> Document:
        mistake: Document = self.some(
            {"publish": {"exchange": "gone"}, "fails": 404},
            {"get": {"queue": "gone"}, "fails": 404},
            {"publish": {"expiration": "soon"}, "fails": 406},
            {
                "declare": {"queues": {"q0": {"durable": False, "auto_delete": True, "arguments": {"x-expires": 60000}}}},
                "fails": 406,
            },
            {"bind": {"source": "gone", "destination": "q0"}, "fails": 404},
        )
        return mistake
