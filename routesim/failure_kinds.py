"""The kinds of failure: what each is called, what it does, who can carry it out. One vocabulary for all that speaks of them."""

from routesim import steps
from routesim.named_tuples import NamedTuple

RABBITMQ, REDIS = "rabbitmq", "redis"
# What may be said with a failure, wherever one is ordered or planned, and what it means.
OPTIONS = {
    "after": "crash: with that delivery",
    "at_ack": "crash: with that answer to a delivery, which is not heard",
    "code": "close, close_channel: the reply code",
    "text": "close, close_channel, blocked: the text",
    "by": "slow, delay_confirms: how late",
    "overflow": "full: what becomes of a message too many",
}
OVERFLOWS = ("reject-publish", "drop-head", "reject-publish-dlx")  # the first one, unless another is said
CONNECTION, CHANNEL, CONSUMER, QUEUE, BROKER = "connection", "channel", "consumer", "queue", "broker"


class Failure(NamedTuple):
    """`step` asks an engine for it, None where it befalls what lies between broker and client, so that a server alone can do it;
    `engines`: the embedded ones that can do it. `real`: how a real broker is asked for it, "" where it cannot be. `befalls`: what
    is named where it is ordered. `lasts`: until it is ended, not for a moment. `options`: what may be said with it.
    """

    effect: str
    step: type | None
    engines: tuple[str, ...]
    real: str
    befalls: str
    lasts: bool = False
    options: tuple[str, ...] = ()


FAILURES: dict[str, Failure] = {
    "crash": Failure(
        "the connection of a consumer or channel is lost without a word", steps.Crash, (RABBITMQ, REDIS), "its socket is closed",
        CONNECTION, options=("after", "at_ack"),
    ),
    "close": Failure(
        "the connection of a consumer or channel is closed in good order", steps.Close, (RABBITMQ, REDIS), "connection.close",
        CONNECTION, options=("code", "text"),
    ),
    "close_channel": Failure(
        "a channel alone is closed: what it held comes back, its consumers go", steps.CloseChannel, (RABBITMQ,), "channel.close",
        CHANNEL, options=("code", "text"),
    ),
    "unread": Failure(
        "a client does not read what it is sent: its deliveries stop, nobody else's", steps.Flow, (RABBITMQ,), "",
        CONNECTION, lasts=True,
    ),
    "restart": Failure(
        "the broker stops in good order and starts again: everybody is cut off, what is not durable goes", steps.Restart,
        (RABBITMQ, REDIS), "by the command that --restart gives", BROKER,
    ),
    "kill": Failure(
        "the broker is killed and starts again: what was out may come a second time", steps.Restart, (RABBITMQ, REDIS), "", BROKER
    ),
    "cancel": Failure(
        "the broker cancels a consumer, as when its queue moves", steps.Cancel, (RABBITMQ, REDIS), "", CONSUMER
    ),
    "delete_queue": Failure(
        "a queue is deleted, with all that is in it, whoever consumes from it", steps.DeleteQueue, (RABBITMQ, REDIS),
        "queue.delete", QUEUE,
    ),
    "expire": Failure("what waits in a queue expires now, whatever its TTL", steps.Expire, (RABBITMQ,), "", QUEUE),
    "full": Failure(
        "a queue takes no message more than it has now: publishers' messages are refused, or the oldest dropped", steps.SetPolicy,
        (RABBITMQ,), "a policy with max-length", QUEUE, lasts=True, options=("overflow",),
    ),
    "nack_confirms": Failure(
        "publishers are told that their messages were refused, though they were taken", None, (), "", CONNECTION, lasts=True
    ),
    "delay_confirms": Failure("confirms come late", None, (), "", CONNECTION, lasts=True, options=("by",)),
    "swallow_confirms": Failure("confirms never come", None, (), "", CONNECTION, lasts=True),
    "stop_reading": Failure("the broker does not read what a client sends", None, (), "", CONNECTION, lasts=True),
    "blocked": Failure(
        "an alarm of memory or disk: who publishes is told so (connection.blocked), and is read no more", None, (), "",
        BROKER, lasts=True, options=("text",),
    ),
    "refuse": Failure("nobody can connect", None, (), "", BROKER, lasts=True),
    "slow": Failure("what is sent arrives late, both ways", None, (), "", CONNECTION, lasts=True, options=("by",)),
}  # fmt: skip


class ClientFailure(NamedTuple):
    """What befalls a client's own process: a broker is not asked for it, and sees only what follows. `verb`: how the steps of a
    scenario say it."""

    effect: str
    verb: str


OF_CLIENTS: dict[str, ClientFailure] = {
    "hang": ClientFailure(
        "a consumer does not come to an end with a message until the broker loses patience (consumer_timeout)", "on_message: hold"
    ),
    "die": ClientFailure("the process of a publisher, consumer or worker ends for good: nobody starts it again", "crash"),
    "kill_worker": ClientFailure("a worker process of Celery is killed, and started again", "worker: {do: kill}"),
    "kill_child": ClientFailure(
        "the children of a worker process of Celery that run tasks are killed", "worker: {do: kill_child}"
    ),
}

# Which of them `explore` tries: at every moment at which each can happen. DEFAULT_EXPLORED: where nothing else is asked for.
EXPLORED = ("crash", "restart", "kill", "cancel", "close_channel", "expire", "delete_queue", "full", *OF_CLIENTS)
DEFAULT_EXPLORED = ("crash", "restart", "kill")
OF_WORKERS = ("kill_worker", "kill_child")  # which befall nobody but Celery's
