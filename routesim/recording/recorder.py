"""What clients ask of a broker, noted as a scenario can say it: by names that are unique in it, and without what is private."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from routesim import steps
from routesim.broker import RabbitBroker
from routesim.exchanges import NOT_SIMULATED
from routesim.model import Consumer, Message, Rule
from routesim.named_tuples import NamedTuple
from routesim.queues import QUEUE_TYPES
from routesim.recording.naming import Naming
from routesim.recording.redacting import Redaction
from routesim.recording.sayable import sayable
from routesim.replies import AmqpError
from routesim.steps import Step

TICK_MS = max(kind.lease_tick_ms for kind in QUEUE_TYPES.values())  # some timers go by whole ones, from time 0 on
LONGEST_NAME = 200  # of a consumer: AMQP carries 255 bytes


class Taken(NamedTuple):
    """A step at its instant, counted from the beginning. `refused`: the reply code with which the broker answered it."""

    at_ms: int
    step: Step
    refused: int | None = None


class ClientRecorder:
    """Hears each step once the broker has carried it out. `bodies`: those that are text are kept, of others only the size.
    `redact`: headers and properties of which the values are not kept."""

    def __init__(self, broker: RabbitBroker, *, bodies: bool = False, redact: Collection[str] = ()) -> None:
        self.broker = broker
        self.began_ms = broker.now - broker.now % TICK_MS
        self.ended_ms: int | None = None
        self.bodies = bodies
        self.redaction = Redaction(redact)
        self.naming = Naming()
        self.taken: list[Taken] = []
        self.ids: set[str] = set()
        self.published = 0
        self.consumers: dict[str, Consumer] = {}
        self.consuming: dict[tuple[str, str], str] = {}  # channel and tag -> the name of the newest consumer

    def hear(self, step: Step, refused: AmqpError | None) -> None:
        at_ms = self.broker.now - self.began_ms
        code = None if refused is None else refused.code
        note: Note = _NOTED.get(type(step), _as_it_is)
        noted = note(self, step, refused is None)
        if noted is None and refused is not None:  # no step can say it, but what came of it
            noted, code = steps.CloseChannel(_channel_of(step), refused.code, refused.text), None
        if noted is not None:
            self.taken.append(Taken(at_ms, sayable(self.naming.step(noted)), code))

    def end(self) -> None:
        """Time stands still from now on."""
        self.ended_ms = self.lasted_ms()

    def lasted_ms(self) -> int:
        """From the beginning until now, or until its end."""
        return self.broker.now - self.began_ms if self.ended_ms is None else self.ended_ms

    # The kinds of steps --------------------------------------------------------------------------------------------------

    def _queue_named(self, channel: str, name: str) -> str:
        """An empty name is the queue last declared on the channel; "" where none was."""
        found = self.broker.channels.get(channel)
        return name or (found.last_queue if found is not None else None) or ""

    def _publish(self, step: steps.Publish, taken: bool) -> Step:
        self.published += 1
        called = f"m{self.published}" if self.redaction.hides("message_id") else self.naming.after_connection(step.id)
        name, number = called, 1
        while name in self.ids:
            number += 1
            name = f"{called} ({number})"
        self.ids.add(name)
        return steps.Publish(step.channel, self._message(step.message), name)

    def _message(self, message: Message) -> Message:
        """Without what is private, and without its form on the wire."""
        mode = 1 if message.delivery_mode is None else message.delivery_mode  # what says nothing is transient
        return message._replace(
            routing_key=self.naming.address(message.routing_key),
            body=body_kept(message.body, whole=self.bodies), headers=self.redaction.headers(message.headers), encoded=None,
            properties=self.redaction.properties(message.properties), delivery_mode=mode,
        )  # fmt: skip

    def _consume(self, step: steps.Consume, taken: bool) -> Step | None:
        given = step.consumer
        queue = self._queue_named(given.channel, given.queue)
        if not queue:
            return None
        tag = given.tag or given.name
        channel, called = self.naming.channel(given.channel), self.naming.after_connection(given.name)[:LONGEST_NAME]
        consumer = given._replace(channel=channel, queue=queue, prefetch=None, start=False, on_message=(Rule("hold"),), tag=None)
        name, number = called, 1
        while self.consumers.get(name, consumer._replace(name=name)) != consumer._replace(name=name):
            number += 1
            name = f"{called} ({number})"
        if (
            not taken and self.consuming.get((given.channel, tag), name) != name
        ):  # by another name than the tag's it might be taken
            return None
        self.consumers[name] = consumer = consumer._replace(name=name)
        if taken:
            self.consuming[given.channel, tag] = name
        return steps.Consume(consumer)

    def _cancel(self, step: steps.Cancel, taken: bool) -> Step | None:
        name = self.consuming.get((step.channel, step.consumer))
        return None if name is None else step._replace(consumer=name)

    def _declare_queue(self, step: steps.DeclareQueue, taken: bool) -> Step | None:
        queue = step.queue
        if taken and queue.server_named:
            assert self.broker.answer is not None
            return step._replace(queue=queue._replace(name=self.broker.answer.queue))
        return step if queue.name else None

    def _declare_exchange(self, step: steps.DeclareExchange, taken: bool) -> Step | None:
        return None if not taken and step.exchange.type in NOT_SIMULATED else step

    def _binds(self, step: Any, taken: bool) -> Step | None:
        binding = step.binding
        if binding.destination_type == "queue" and not binding.destination:
            name = self._queue_named(step.channel, "")
            if not name:
                return None
            binding = binding._replace(destination=name, routing_key=binding.routing_key or name)
        return step._replace(binding=binding._replace(arguments=self.redaction.headers(binding.arguments)))  # type: ignore[no-any-return]

    def _of_queue(self, step: Any, taken: bool) -> Step | None:
        name = self._queue_named(step.channel, step.queue)
        return step._replace(queue=name) if name else None


class Sized(str):
    """A body of which only the size is known. It is that long."""

    __slots__ = ()


@lru_cache(maxsize=1000)
def of_size(size: int) -> Sized:
    """Messages of one size share it."""
    return Sized("x" * size)


Note = Callable[[ClientRecorder, Any, bool], Step | None]


def _as_it_is(recorder: ClientRecorder, step: Step, taken: bool) -> Step:
    return step


def _channel_of(step: Any) -> str:
    name: str = step.consumer.channel if isinstance(step, steps.Consume) else step.channel
    return name


def body_kept(body: bytes | str, *, whole: bool) -> str:
    """The body as text, if it is to be kept and is one; else its size alone."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    try:
        return data.decode() if whole else of_size(len(data))
    except UnicodeDecodeError:
        return of_size(len(data))


_NOTED: dict[type, Note] = {
    steps.Publish: ClientRecorder._publish,
    steps.Consume: ClientRecorder._consume,
    steps.Cancel: ClientRecorder._cancel,
    steps.DeclareQueue: ClientRecorder._declare_queue,
    steps.DeclareExchange: ClientRecorder._declare_exchange,
    steps.Bind: ClientRecorder._binds,
    steps.Unbind: ClientRecorder._binds,
    steps.Get: ClientRecorder._of_queue,
    steps.Purge: ClientRecorder._of_queue,
    steps.DeleteQueue: ClientRecorder._of_queue,
}
