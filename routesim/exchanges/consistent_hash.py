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
        self.owners: dict[Destination, int] = {}
        self.rows: tuple[list[Destination], list[int]] | None = None
        self.of_destination: dict[Destination, dict[int, Binding]] = {}  # by identity
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
        self.of_destination.setdefault(destination, {})[id(binding)] = binding
        if weight and destination not in self.owners:
            self.owners[destination] = weight
            self.rows = None

    def remove(self, binding: Binding) -> None:
        super().remove(binding)
        destination = (binding.destination_type, binding.destination)
        del self.of_destination[destination][id(binding)]
        if not self.of_destination[destination]:
            del self.of_destination[destination]
        if self.owners.pop(destination, None) is not None:
            self.rows = None

    def restart(self) -> None:
        """The ring is rebuilt, now in the order of the sorted bindings (rules/routing#G7)."""
        bindings = sorted(
            self.bindings,
            key=lambda item: (item.routing_key, item.destination_type, item.destination, table_identity(item.arguments)),
        )
        self.kept, self.listed, self.of_destination, self.owners, self.rows = {}, None, {}, {}, None
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
        if self.rows is None:
            self.rows = list(self.owners), list(accumulate(self.owners.values()))
        destinations, ends = self.rows
        return destinations[bisect_right(ends, jump(self._hashed(message, content), ends[-1]))]

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        chosen = self._chosen(message, content)
        if chosen is None:
            return []
        return [next(iter(self.of_destination[chosen].values()))]

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        chosen = self._chosen(message, content)
        if chosen is None:
            return BindingVerdict(False, "empty-ring", "no destination owns a bucket of the ring")
        if chosen == (binding.destination_type, binding.destination):
            buckets = sum(self.owners.values())
            return BindingVerdict(True, "hashed", f"the hash falls into one of its {self.owners[chosen]} of {buckets} buckets")
        return BindingVerdict(False, "hashed-elsewhere", f"the hash falls to {chosen[1]}")

    def fingerprint(self) -> tuple[tuple[Destination, int], ...]:
        return tuple(self.owners.items())

    def clone(self) -> "ConsistentHash":
        other = ConsistentHash(self.exchange, self.rules)
        other.kept, other.owners, other.rows = self.kept.copy(), self.owners.copy(), self.rows
        other.of_destination = {destination: bindings.copy() for destination, bindings in self.of_destination.items()}
        return other
