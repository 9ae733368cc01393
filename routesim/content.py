"""A message as a broker holds it: validated once, then shared by every copy. Immutable by convention."""

import marshal
from collections.abc import Callable
from functools import cache
from typing import Any

from routesim.values import Table, encoded_size, identity, table_identity


def body_text(body: str | bytes) -> str:
    """The body of a message as text; what is no UTF-8 in it is shown."""
    return body if isinstance(body, str) else body.decode("utf-8", "backslashreplace")


@cache
def _blake2b() -> Callable[..., Any]:
    from hashlib import blake2b  # its library takes its time, and a run compares nothing

    return blake2b


def digest(look: object) -> bytes:
    """128 bits that stand for plain values."""
    found: bytes = _blake2b()(repr(look).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return found


def digest_of_plain(look: tuple[Any, ...]) -> bytes:
    """As `digest`, of tuples, texts, bytes, numbers and None alone, which is quicker. By value: whether two parts of them are one
    object makes no difference."""
    found: bytes = _blake2b()(marshal.dumps(look, 2), digest_size=16).digest()
    return found


class Content:
    """What all copies of a published (or dead-lettered) message share.

    `keys` are the routing key and the strings of CC and BCC, in that order (rules/routing#R1); `ttl_ms` is the parsed
    `expiration`; `annotations` are the headers that RabbitMQ 3.13+ adds at delivery and a headers exchange does not see;
    `delivery_count` is how many failed deliveries a dead letter brings along (rules/routing#D22). `encoded`: its properties,
    headers included and annotations not, as AMQP 0-9-1 has them; None: nobody has needed that yet.
    """

    __slots__ = (
        "annotations", "body", "delivery_count", "delivery_mode", "encoded", "exchange", "expiration", "headers", "keys",
        "look", "priority", "properties", "properties_bytes", "routing_key", "size", "ttl_ms",
    )  # fmt: skip

    def __init__(
        self,
        exchange: str,
        routing_key: str,
        keys: tuple[str, ...],
        headers: Table | None,
        body: str | bytes,
        *,
        size: int | None = None,
        priority: int | None = None,
        expiration: str | None = None,
        ttl_ms: int | None = None,
        delivery_mode: int | None = 2,
        properties: Table | None = None,
        annotations: Table | None = None,
        delivery_count: int = 0,
        encoded: bytes | None = None,
    ) -> None:
        self.exchange = exchange
        self.routing_key = routing_key
        self.keys = keys
        self.headers = headers
        self.body = body
        if size is None:
            size = len(body) if isinstance(body, bytes) else len(body.encode("utf-8", "surrogatepass"))
        self.size = size
        self.priority = priority
        self.expiration = expiration
        self.ttl_ms = ttl_ms
        self.delivery_mode = delivery_mode
        self.properties = properties or {}
        self.annotations = annotations
        self.delivery_count = delivery_count
        self.encoded = encoded
        self.properties_bytes: int | None = None  # counted when first asked for
        self.look: bytes | None = None  # the same

    def fingerprint(self) -> bytes:
        """Equal for messages that every broker and consumer would take for the same: 128 bits."""
        if self.look is None:
            self.look = digest(self._look())
        return self.look

    def _look(self) -> tuple[Any, ...]:
        tables = tuple(None if table is None else identity(table) for table in (self.headers, self.annotations))
        return (
            self.exchange, self.keys, self.body, self.priority, self.expiration, self.delivery_mode,
            table_identity(self.properties), self.delivery_count, *tables,
        )  # fmt: skip

    def delivered_headers(self) -> Table:
        """The headers as a consumer gets them from a queue that adds none of its own."""
        headers = self.headers or {}
        if self.annotations:
            merged = {**headers, **self.annotations}
            return {key: merged[key] for key in sorted(merged)}  # rules/routing#D13
        return headers

    def properties_size(self) -> int:
        """The bytes of the basic properties as AMQP 0-9-1 encodes them: two of flags, then every field that is there."""
        if self.properties_bytes is not None:
            return self.properties_bytes
        texts = [*self.properties.values(), *([] if self.expiration is None else [self.expiration])]
        size = 2 + sum(8 if isinstance(text, int) else 1 + len(str(text).encode("utf-8", "surrogatepass")) for text in texts)
        size += 1 + (self.priority is not None) + (0 if self.headers is None else encoded_size(self.headers))
        self.properties_bytes = size
        return size
