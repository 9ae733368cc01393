"""What does not change from one message to the next, looked up once."""

from collections import deque

from routesim.clients.scripted_consumer import ScriptedConsumer
from routesim.content import Content
from routesim.events import Path
from routesim.model import Rule
from routesim.named_tuples import NamedTuple
from routesim.queues import Channel, Copy, LinedQueue, QueueType, Subscription
from routesim.run.batches import Prepared


class PlainQueue(NamedTuple):
    """A plain queue, with the line in which copies wait, and its consumers by the identity of their subscriptions.

    `instant`: the only one, if it takes no time: whatever is published to the queue goes through it at once. `by_rules`: and
    need not be acknowledged (`treatments`). `limit`: of what waits, where nobody consumes. `full_hands`: something waits, and
    none of its consumers, of whatever kind (they are not in `consumers`), may be sent more.
    """

    queue: LinedQueue
    line: deque[Copy]
    consumers: dict[int, "AckingConsumer"]
    instant: "AckingConsumer | None" = None
    by_rules: bool = False
    limit: int | None = None
    full_hands: bool = False


class AckingConsumer(NamedTuple):
    """A consumer that acknowledges whatever it gets, `takes` ms after it has begun with it; 0: at once."""

    source: PlainQueue
    subscription: Subscription
    channel: Channel[QueueType]
    state: ScriptedConsumer
    concurrency: int
    rule: Rule
    takes: int
    acked: Prepared
    delivered: Prepared
    redelivered: Prepared
    next: Prepared | None  # acknowledged, and the next one delivered; only where the queue has no other consumer


class Burial(NamedTuple):
    """What becomes of a rejected copy: what it is as a dead letter, and where it waits then. `content` None: it is dropped."""

    exchange: str
    content: Content | None
    targets: tuple[tuple[LinedQueue, Path], ...]


class PreparedPublish(NamedTuple):
    """Where the publishes of a step go. `paths` belong to `queues`, in the order in which these are served.

    `emits`: the events of one publish, by the subscriptions that are sent the message at once (0: it waits).
    """

    content: Content
    channel: Channel[QueueType]
    queues: tuple[PlainQueue, ...]
    paths: tuple[Path, ...]
    emits: dict[tuple[int, ...], Prepared]
