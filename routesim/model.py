"""What a scenario declares. Values without behaviour; names and units are AMQP's and RabbitMQ's own."""

from typing import NamedTuple

from routesim.values import Table

DEFAULT_EXCHANGE = ""
REPLY_TO = "amq.rabbitmq.reply-to"

# The channels that carry what a scenario does without naming one, each on a connection of its own.
DECLARE_CHANNEL = "(declare)"
PUBLISH_CHANNEL = "(publish)"
GET_CHANNEL = "(get)"


class Exchange(NamedTuple):
    name: str
    type: str = "direct"
    durable: bool = True
    auto_delete: bool = False
    internal: bool = False
    arguments: Table = {}


class Queue(NamedTuple):
    """`arguments` holds `x-queue-type` when a type was asked for. `server_named`: the broker draws the real name."""

    name: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Table = {}
    server_named: bool = False


class Binding(NamedTuple):
    """From exchange `source` to a queue or exchange; `destination_type` is `queue` or `exchange`."""

    source: str
    destination: str
    destination_type: str = "queue"
    routing_key: str = ""
    arguments: Table = {}


class Policy(NamedTuple):
    """`apply_to` as in a definitions file; `operator` marks an operator policy."""

    name: str
    pattern: str
    definition: Table
    apply_to: str = "all"
    priority: float = 0
    operator: bool = False


class Channel(NamedTuple):
    """How a channel is opened: its connection, confirms on or off, and its `basic.qos(global=true)` limit."""

    name: str
    connection: str
    confirms: bool = True
    prefetch: int = 0


class Message(NamedTuple):
    """A message as a publisher sends it. `properties` are the basic properties without a field of their own here."""

    exchange: str = DEFAULT_EXCHANGE
    routing_key: str = ""
    body: str = ""
    headers: Table | None = None
    priority: int | None = None
    expiration: str | None = None
    delivery_mode: int = 2
    mandatory: bool = False
    properties: Table = {}


class Rule(NamedTuple):
    """One rule of `on_message`: conditions (None: any), then what to do. Durations in ms; None: not given."""

    do: str = "ack"
    routing_key: str | None = None
    headers: Table | None = None
    redelivered: bool | None = None
    attempt: tuple[str, int] | None = None
    message: str | None = None
    chance: float | None = None
    takes: int | None = None
    after: int | None = None
    restart: int | None = None
    publish: tuple["Reply", ...] = ()


class Reply(NamedTuple):
    """A message that a rule publishes; `$…` placeholders are filled from the delivery."""

    message: Message
    id: str | None = None
    copy_headers: bool = False
    times: int = 1


class Consumer(NamedTuple):
    """`takes` in ms; `prefetch` None: no `basic.qos` is sent. `arguments` holds `x-priority` when one was asked for."""

    name: str
    queue: str
    channel: str
    prefetch: int | None = None
    auto_ack: bool = False
    exclusive: bool = False
    arguments: Table = {}
    start: bool = True
    takes: int = 0
    concurrency: int = 1
    on_message: tuple[Rule, ...] = (Rule(),)


class Settings(NamedTuple):
    """Settings of the broker itself; times in ms, None: that version's default. From `visibility_timeout` on for Redis alone."""

    consumer_timeout: int | None = None
    max_message_size: int | None = None
    default_queue_type: str | None = None
    kind: str = "rabbitmq"
    visibility_timeout: int | None = None
    restore_every: int | None = None
    priority_steps: tuple[int, ...] | None = None
    queue_order: str | None = None
