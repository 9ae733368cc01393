"""x-consistent-hash: one destination, chosen by a ring of buckets (rules/routing#2.1)."""

from bisect import bisect_right
from itertools import accumulate
from typing import Any

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ListedExchangeType, precondition_failed
from routesim.exchanges.erlang import Atom, jump
from routesim.model import Binding, Exchange
from routesim.replies import AmqpError
from routesim.values import Value, erlang_term, raw, table_identity, wire_type
from routesim.versions import Rules

HASHED_PROPERTIES = ("message_id", "correlation_id", "timestamp")
Destination = tuple[str, str]


def erlang_value(value: Value) -> Any:
    """An AMQP value as the Erlang term that RabbitMQ hashes."""
    inner = raw(value)
    if isinstance(inner, str):
        return inner.encode()
    if inner is None:
        return Atom("undefined")
    if isinstance(inner, list):
        return [erlang_pair(item) for item in inner]
    if isinstance(inner, dict):
        return [(key.encode(), *erlang_pair(item)) for key, item in inner.items()]
    return inner


def erlang_pair(value: Value) -> tuple[Atom, Any]:
    return Atom(wire_type(value)), erlang_value(value)


class ConsistentHash(ListedExchangeType):
    name = "x-consistent-hash"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.header = raw(exchange.arguments.get("hash-header"))
        self.property = raw(exchange.arguments.get("hash-property"))
        # The ring: who owns how many buckets in a row, and where each row ends. A weight may be a number of any size.
        self.owners: list[tuple[Destination, int]] = []
        self.ends: list[int] = []
        self.sees = "content" if self.header or self.property else "keys"

    @classmethod
    def validate(cls, exchange: Exchange, rules: Rules) -> None:
        arguments = exchange.arguments
        for key in ("hash-header", "hash-property"):
            if key in arguments and wire_type(arguments[key]) != "longstr":
                raise AmqpError(541, "INTERNAL_ERROR", argument=key)
        if "hash-header" in arguments and "hash-property" in arguments:
            raise precondition_failed("hash-header and hash-property are mutually exclusive", "hash-property")
        if raw(arguments.get("hash-property", "message_id")) not in HASHED_PROPERTIES:
            raise precondition_failed(f"Unsupported property: {raw(arguments['hash-property'])}", "hash-property")

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        weight = self._weight(binding)
        if weight is None:
            raise precondition_failed(f"The binding key must be an integer: {erlang_term(binding.routing_key)}")
        if weight < 1:
            raise precondition_failed("The binding key must be greater than 0")
        limit = self.rules.hash_weight_limit
        if limit is not None and weight > limit:
            raise precondition_failed(f"The binding key must not exceed {limit}")

    @staticmethod
    def _weight(binding: Binding) -> int | None:
        """The weight as Erlang's binary_to_integer reads it: an optional sign and digits, nothing else."""
        text = binding.routing_key
        digits = text[1:] if text[:1] in ("+", "-") else text
        return int(text) if digits.isascii() and digits.isdigit() else None

    def add(self, binding: Binding) -> None:
        super().add(binding)
        destination = (binding.destination_type, binding.destination)
        weight = self._weight(binding)
        if weight and all(owner != destination for owner, _ in self.owners):
            self.owners.append((destination, weight))
            self.ends.append(self._size() + weight)

    def remove(self, binding: Binding) -> None:
        super().remove(binding)
        destination = (binding.destination_type, binding.destination)
        self.owners = [owner for owner in self.owners if owner[0] != destination]
        self.ends = list(accumulate(weight for _, weight in self.owners))

    def restart(self) -> None:
        """The ring is rebuilt, now in the order of the sorted bindings (rules/routing#G7)."""
        bindings = sorted(
            self.bindings,
            key=lambda item: (item.routing_key, item.destination_type, item.destination, table_identity(item.arguments)),
        )
        self.bindings, self.owners, self.ends = [], [], []
        for binding in bindings:
            self.add(binding)

    def _hashed(self, message: str, content: Content) -> Any:
        if self.header:
            headers = content.headers or {}
            if self.header not in headers:
                return Atom("undefined")
            value = headers[self.header]
            if self.rules.hash_header_typed:
                return erlang_pair(value)
            term = erlang_value(value)
            return term[0] if isinstance(term, list) and term else term
        if self.property:
            default = message if self.property == "message_id" else None
            value = raw(content.properties.get(self.property, default))
            return Atom("undefined") if value is None else str(value).encode()
        return content.routing_key.encode("utf-8", "surrogatepass")

    def _chosen(self, message: str, content: Content) -> Destination | None:
        if not self.owners:
            return None
        return self.owners[bisect_right(self.ends, jump(self._hashed(message, content), self._size()))][0]

    def _size(self) -> int:
        return self.ends[-1] if self.ends else 0

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        chosen = self._chosen(message, content)
        if chosen is None:
            return []
        return [next(item for item in self.bindings if (item.destination_type, item.destination) == chosen)]

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        chosen = self._chosen(message, content)
        if chosen is None:
            return BindingVerdict(False, "empty-ring", "no destination owns a bucket of the ring")
        if chosen == (binding.destination_type, binding.destination):
            own = dict(self.owners)[chosen]
            return BindingVerdict(True, "hashed", f"the hash falls into one of its {own} of {self._size()} buckets")
        return BindingVerdict(False, "hashed-elsewhere", f"the hash falls to {chosen[1]}")

    def fingerprint(self) -> tuple[tuple[Destination, int], ...]:
        return tuple(self.owners)

    def clone(self) -> "ConsistentHash":
        other = ConsistentHash(self.exchange, self.rules)
        other.bindings, other.owners, other.ends = self.bindings.copy(), self.owners.copy(), self.ends.copy()
        return other
