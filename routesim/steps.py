"""What may be asked of a broker. A scenario, a consumer's answer and a live broker all speak in these values."""

from typing import TypeAlias

from routesim.model import Binding, Consumer, Exchange, Message, Policy, Queue
from routesim.named_tuples import NamedTuple
from routesim.replies import CLOSED_BY_CLIENT, REPLY_SUCCESS


class Publish(NamedTuple):
    """`id` is the message's name in the scenario. The same `message` value may be published any number of times."""

    channel: str
    message: Message
    id: str


class Get(NamedTuple):
    channel: str
    queue: str
    auto_ack: bool = False


class Ack(NamedTuple):
    """`message` names the newest delivery of it still open on the channel, in place of a `delivery_tag`."""

    channel: str
    delivery_tag: int = 0
    multiple: bool = False
    message: str | None = None


class Nack(NamedTuple):
    channel: str
    delivery_tag: int = 0
    multiple: bool = False
    requeue: bool = True
    message: str | None = None


class Reject(NamedTuple):
    channel: str
    delivery_tag: int = 0
    requeue: bool = True
    message: str | None = None


class Recover(NamedTuple):
    channel: str
    requeue: bool = True


class Qos(NamedTuple):
    """`basic.qos`: `whole_channel` is its `global` flag."""

    channel: str
    prefetch: int
    whole_channel: bool = False


class Fetch(NamedTuple):
    """A client of Redis asks for so many messages more and then for none, until it is told again; None: whenever it has room
    (kombu's `can_consume`). Redis alone: RabbitMQ sends unasked."""

    channel: str
    messages: int | None


class Tx(NamedTuple):
    """`do` is `select`, `commit` or `rollback`."""

    channel: str
    do: str


class Consume(NamedTuple):
    consumer: Consumer


class Cancel(NamedTuple):
    channel: str
    consumer: str


class Crash(NamedTuple):
    """The connection is lost without a word."""

    connection: str


class Close(NamedTuple):
    """The connection is closed in good order: by the client, or by the broker with another code than that of success. `fault_of`:
    the channel that is to blame, which ends first."""

    connection: str
    code: int = REPLY_SUCCESS
    text: str = CLOSED_BY_CLIENT
    fault_of: str | None = None


class OpenChannel(NamedTuple):
    """The channel that is not opened with this is opened when it is first used, as the scenario plans it."""

    channel: str
    connection: str


class CloseChannel(NamedTuple):
    """By the client, or by the broker with another code than that of success."""

    channel: str
    code: int = REPLY_SUCCESS
    text: str = CLOSED_BY_CLIENT


class Flow(NamedTuple):
    """Whether the client reads what it is sent: nothing is delivered on the channel while it does not."""

    channel: str
    active: bool


class SelectConfirms(NamedTuple):
    channel: str


class Restart(NamedTuple):
    """The broker stops and starts; `clean` False is a kill."""

    clean: bool


class DeclareExchange(NamedTuple):
    channel: str
    exchange: Exchange


class DeclareQueue(NamedTuple):
    channel: str
    queue: Queue


class AskExchange(NamedTuple):
    """A passive declare: whether the exchange is there."""

    channel: str
    exchange: str


class AskQueue(NamedTuple):
    """A passive declare: whether the queue is there, and this connection may use it."""

    channel: str
    queue: str


class Bind(NamedTuple):
    channel: str
    binding: Binding


class Unbind(NamedTuple):
    channel: str
    binding: Binding


class DeleteExchange(NamedTuple):
    channel: str
    exchange: str
    if_unused: bool = False


class DeleteQueue(NamedTuple):
    channel: str
    queue: str
    if_unused: bool = False
    if_empty: bool = False


class Purge(NamedTuple):
    channel: str
    queue: str


class Expire(NamedTuple):
    """What is ready in the queue has reached the end of its time to live."""

    queue: str


class SetPolicy(NamedTuple):
    policy: Policy


class DeletePolicy(NamedTuple):
    name: str
    operator: bool = False


Step: TypeAlias = (
    Publish | Get | Ack | Nack | Reject | Recover | Qos | Fetch | Tx | Consume | Cancel | Crash | Close | Restart
    | OpenChannel | CloseChannel | Flow | SelectConfirms
    | DeclareExchange | DeclareQueue | AskExchange | AskQueue | Bind | Unbind | DeleteExchange | DeleteQueue | Purge | Expire
    | SetPolicy | DeletePolicy
)  # fmt: skip
