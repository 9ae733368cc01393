"""What a run, `explain` and the reports ask of an engine, whichever it is: the embedded RabbitMQ or Redis, or a real broker."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from routesim.broker.records import ChannelEnded, ConsumerEnded, StepFailure
from routesim.events import Event, TaskLost
from routesim.queues import Copy, DeliveringQueue, Delivery
from routesim.steps import Step

UnackedDelivery = tuple[str, str | None, str, int, bool]  # message, consumer (None: basic.get), channel, tag, redelivered


class EngineQueue(DeliveringQueue, Protocol):
    @property
    def kind(self) -> str:
        """The name of its type."""

    def ready(self) -> Iterator[Copy]:
        """The ready messages, in the order in which basic.get would give them."""

    def ready_count(self) -> int: ...


class Refusal(Protocol):
    """A step that the broker did not carry out, with a code of AMQP."""

    code: int
    text: str

    @property
    def closes_connection(self) -> bool: ...


class OpenOrders(Protocol):
    """Decides what RabbitMQ leaves open. Each of what is asked answers with the numbers of the `names` in the order in which
    they come; `about`: what is decided, with a place for that order in words."""

    def order(self, names: Sequence[str], about: str) -> list[int]:
        """Any order."""

    def rotation(self, names: Sequence[str], about: str) -> list[int]:
        """Any one may be the first; the others follow in their order, and round."""


class Engine(Protocol):
    """`apply` a step; what happens goes to `listen`, what consumers must react to into `outbox`, what failed into `failures`."""

    listen: Callable[[Event], None] | None
    failures: list[StepFailure]

    @property
    def handed(self) -> "Delivery[Any] | None":
        """What a client was handed last, by a delivery or a basic.get."""

    @property
    def now(self) -> int:
        """The time of the scenario, in ms."""

    @property
    def outbox(self) -> "deque[Delivery[Any] | ConsumerEnded | ChannelEnded]": ...

    @property
    def queues(self) -> Mapping[str, EngineQueue]: ...

    def apply(self, step: Step) -> Refusal | None:
        """Carry out one step; a refusal is returned, and noted in `failures` too."""

    def unacked_of(self, queue: EngineQueue) -> list[UnackedDelivery]:
        """What is out and unsettled of a queue."""

    def lost_by_consumer(self, consumer: str, message: str, queue: str, serial: int) -> None:
        """A consumer crashed while working on a message that was acknowledged when it was sent."""

    def lost_by_worker(self, event: TaskLost) -> None:
        """A worker process ended with a task of which the message was acknowledged."""
