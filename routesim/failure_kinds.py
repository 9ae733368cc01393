"""The kinds of failure: what each is called, what it does, who can carry it out. One vocabulary for all that speaks of them."""

from typing import NamedTuple

from routesim import steps

RABBITMQ, REDIS = "rabbitmq", "redis"


class Failure(NamedTuple):
    """`step` asks for it; `engines`: the embedded ones that can do it. `real`: how a real broker is asked for it, "" where
    it cannot be."""

    effect: str
    step: type
    engines: tuple[str, ...]
    real: str


FAILURES: dict[str, Failure] = {
    "crash": Failure(
        "the connection of a consumer or channel is lost without a word", steps.Crash, (RABBITMQ, REDIS), "its socket is closed"
    ),
    "close": Failure(
        "the connection of a consumer or channel is closed in good order", steps.Close, (RABBITMQ, REDIS), "connection.close"
    ),
    "close_channel": Failure(
        "a channel alone is closed: what it held comes back, its consumers go", steps.CloseChannel, (RABBITMQ,), "channel.close"
    ),
    "unread": Failure(
        "a client does not read what it is sent: its deliveries stop, nobody else's", steps.Flow, (RABBITMQ,), ""
    ),
    "restart": Failure(
        "the broker stops in good order and starts again: everybody is cut off, what is not durable goes", steps.Restart,
        (RABBITMQ, REDIS), "by the command that --restart gives",
    ),
    "kill": Failure(
        "the broker is killed and starts again: what was out may come a second time", steps.Restart, (RABBITMQ, REDIS), ""
    ),
}  # fmt: skip
