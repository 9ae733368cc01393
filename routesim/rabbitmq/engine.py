"""A real RabbitMQ that carries out the same steps as the embedded broker, and says what its clients get to know."""

import time
from collections.abc import Callable
from typing import Any

from routesim import steps
from routesim.broker import StepFailure
from routesim.broker.acknowledging import NotPossible
from routesim.rabbitmq import answering, declaring, endings, receiving, sending
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.management import ManagementError
from routesim.rabbitmq.observed import RealChannel
from routesim.rabbitmq.real_state import RealState
from routesim.replies import CHANNEL_CODES

ROUNDS, ROUNDS_OF_A_LOG = 3, 10  # what goes through a replicated log takes its time, also to dead-letter
PAUSE_S = 0.002
LATE_S = 0.02  # how late a timer of the broker may be at the end of a wait

# Which function carries out which step.
HANDLERS: dict[type, Callable[[RealState, Any], None]] = {
    steps.Publish: sending.publish,
    steps.Get: receiving.get,
    steps.Ack: answering.answer,
    steps.Nack: answering.answer,
    steps.Reject: answering.answer,
    steps.Recover: answering.recover,
    steps.Qos: receiving.qos,
    steps.Tx: sending.tx,
    steps.Consume: receiving.consume,
    steps.Cancel: receiving.cancel,
    steps.Crash: endings.crash,
    steps.Close: endings.close,
    steps.Restart: endings.restart,
    steps.DeclareExchange: declaring.declare_exchange,
    steps.DeclareQueue: declaring.declare_queue,
    steps.AskQueue: declaring.ask_queue,
    steps.Bind: declaring.bind,
    steps.Unbind: declaring.bind,
    steps.DeleteExchange: declaring.delete_exchange,
    steps.DeleteQueue: declaring.delete_queue,
    steps.Purge: declaring.purge,
    steps.SetPolicy: declaring.set_policy,
    steps.DeletePolicy: declaring.delete_policy,
}


class RealBroker(RealState):
    """`apply` a step, `wait` for real."""

    def apply(self, step: steps.Step) -> ClosedByBroker | None:
        """Carry out one step. A refusal closes the channel or connection, is noted in `failures` and returned."""
        name = step.consumer.channel if isinstance(step, steps.Consume) else getattr(step, "channel", None)
        try:
            HANDLERS[type(step)](self, step)
        except ClosedByBroker as refused:
            endings.refused_by_broker(self, name, refused)
            return refused
        except ManagementError as refused:
            self.failures.append(StepFailure(self.now, 400, f"BAD_REQUEST - {refused.text}"))
            return ClosedByBroker(400, refused.text, connection=False)
        except NotPossible as problem:
            self.failures.append(StepFailure(self.now, None, str(problem)))
        return None

    def settle(self) -> None:
        """Until the broker is at rest: several rounds through every channel in a row bring nothing new."""
        quiet, rounds = 0, ROUNDS_OF_A_LOG if any(queue.type.replicated for queue in self.queues.values()) else ROUNDS
        while quiet < rounds:
            before = self.arrived
            for channel in list(self.channels.values()):
                try:
                    if channel.pika.is_open:
                        self.flush(channel)
                    elif channel.name in self.channels:
                        raise _closed(channel)
                except ClosedByBroker as refused:
                    endings.refused_by_broker(self, channel.name, refused)
                    self.arrived += 1
            self.connections.poll(PAUSE_S)
            quiet = quiet + 1 if self.arrived == before else 0

    def wait(self, until_ms: int) -> None:
        """Until that time, or until something has come that consumers must react to."""
        until = self.began + until_ms / 1000 / self.pace.speed
        while not self.outbox:
            rest = until - time.monotonic()
            if rest <= 0:
                return
            try:
                self.connections.poll(min(rest, 0.01))
            except ClosedByBroker:
                self.settle()
            if any(not channel.pika.is_open for channel in self.channels.values()):
                self.settle()

    def lateness_ms(self) -> int:
        return int(LATE_S * 1000 * self.pace.speed) + 1


def _closed(channel: RealChannel) -> ClosedByBroker:
    reason = getattr(channel.pika, "_closing_reason", None)
    code, text = getattr(reason, "reply_code", 541), getattr(reason, "reply_text", "the channel closed")
    return ClosedByBroker(code, text, connection=code not in CHANNEL_CODES)
