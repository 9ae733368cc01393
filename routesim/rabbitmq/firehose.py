"""RabbitMQ's firehose: each publish and each delivery of a virtual host, as the broker tells of them where tracing is on."""

import time
from collections.abc import Iterator
from typing import Any

import pika.exceptions

from routesim.model import Binding, Queue
from routesim.rabbitmq.connections import connect, lost
from routesim.rabbitmq.http.management import Management, ManagementError
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.traced import ConsumerThere, TracedEvent
from routesim.rabbitmq.url import Address, segment
from routesim.values import Table, raw

EXCHANGE = "amq.rabbitmq.trace"
SLICE_S = 0.05


def check_tracing(management: Management, vhost: str) -> None:
    """Raises `BrokerProblem` where it is off, or there is no such virtual host."""
    try:
        found = management.call("GET", f"vhosts/{segment(vhost)}")
    except ManagementError as refusal:
        raise BrokerProblem(f"vhost '{vhost}' at {management.address}: {refusal.text}") from None
    if not isinstance(found, dict) or found.get("tracing") is not True:
        raise BrokerProblem(
            f"tracing is off in vhost '{vhost}': `rabbitmqctl trace_on -p {vhost}` switches it on, trace_off off again; it costs "
            "the broker a message more for each publish and each delivery"
        )


def consumers_of(management: Management, vhost: str) -> list[ConsumerThere]:
    """Those that the broker knows now."""
    found = []
    for item in management.call("GET", f"consumers/{segment(vhost)}") or ():
        of = item.get("channel_details")
        if isinstance(of, dict) and "connection_name" in of:
            found.append(
                ConsumerThere(
                    item["queue"]["name"], of["connection_name"], of["number"], item["consumer_tag"], not item["ack_required"],
                    item.get("prefetch_count") or 0, bool(item.get("exclusive")), item.get("arguments") or {},
                )
            )  # fmt: skip
    return found


def owned_queues(management: Management, vhost: str) -> tuple[list[Queue], list[Binding]]:
    """Queues of one connection each, which no definitions file has, with what is bound to them; they last here."""
    found = management.call("GET", f"queues/{segment(vhost)}") or ()
    queues = [
        Queue(item["name"], arguments=item.get("arguments") or {}, server_named=item["name"].startswith("amq.gen-"))
        for item in found
        if item.get("exclusive")
    ]
    names = {queue.name for queue in queues}
    bindings = [
        Binding(item["source"], item["destination"], "queue", item["routing_key"], item.get("arguments") or {})
        for item in management.call("GET", f"bindings/{segment(vhost)}") or ()
        if item.get("source") and item.get("destination_type") == "queue" and item.get("destination") in names
    ]
    return queues, bindings


def names_of_clients(management: Management, vhost: str) -> dict[str, str]:
    """What connections are called by their clients, where they are."""
    found = management.call("GET", f"vhosts/{segment(vhost)}/connections") or ()
    named = ((item.get("name"), (item.get("client_properties") or {}).get("connection_name")) for item in found)
    return {name: str(own) for name, own in named if name and own}


class Firehose:
    """`missed`: more came than its queue holds, so some were lost."""

    def __init__(self, address: Address, vhost: str, most: int) -> None:
        self.address = address
        self.most = most
        self.missed = False
        self.heard: list[TracedEvent] = []
        self.connection = connect(address, vhost)
        self.channel = self.connection.channel()
        declared = self.channel.queue_declare("", exclusive=True, auto_delete=True, arguments={"x-max-length": most})
        self.queue: str = declared.method.queue
        self.channel.queue_bind(self.queue, EXCHANGE, "#")
        self.channel.basic_consume(self.queue, self._hear, auto_ack=True)
        self.began = time.monotonic()

    def _hear(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        told: Table = properties.headers or {}
        kind, _, name = method.routing_key.partition(".")
        keys = [raw(key) for key in told.get("routing_keys") or [""]]
        self.heard.append(
            TracedEvent(
                int((time.monotonic() - self.began) * 1000), str(told.get("exchange_name", "")), str(keys[0]),
                told.get("properties") or {}, body, str(told.get("connection", "")), int(raw(told.get("channel", 0))),
                name if kind == "deliver" else None, bool(raw(told.get("redelivered", 0))),
                tuple(str(queue) for queue in told.get("routed_queues") or ()),
            )
        )  # fmt: skip

    def events(self) -> Iterator[list[TracedEvent]]:
        """What has come, again and again, soon after it has. Raises `BrokerProblem`."""
        while True:
            try:
                self.connection.process_data_events(SLICE_S)
                if len(self.heard) >= self.most // 2:
                    answer = self.channel.queue_declare(self.queue, passive=True)
                    self.missed = self.missed or answer.method.message_count >= self.most
            except (pika.exceptions.AMQPError, OSError) as error:
                raise lost(self.address, error) from None
            heard, self.heard = self.heard, []
            yield heard

    def close(self) -> None:
        """The queue goes with its connection."""
        if self.connection.is_open:
            self.connection.close()
