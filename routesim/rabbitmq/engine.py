"""A real RabbitMQ that carries out the same steps as the embedded broker, and says what its clients get to know."""

import time
from collections.abc import Callable
from typing import Any

from routesim import steps
from routesim.broker import StepFailure
from routesim.broker.records import NotPossible
from routesim.rabbitmq import answering, declaring, endings, receiving, restarting, sending
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.http.management import ManagementError
from routesim.rabbitmq.looking import wait_until_declared
from routesim.rabbitmq.real_state import RealState, closed_by_broker

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
    steps.Restart: restarting.restart,
    steps.OpenChannel: receiving.open_channel,
    steps.CloseChannel: endings.close_channel,
    steps.SelectConfirms: sending.select_confirms,
    steps.DeclareExchange: declaring.declare_exchange,
    steps.DeclareQueue: declaring.declare_queue,
    steps.AskExchange: declaring.ask_exchange,
    steps.AskQueue: declaring.ask_queue,
    steps.Bind: declaring.bind,
    steps.Unbind: declaring.bind,
    steps.DeleteExchange: declaring.delete_exchange,
    steps.DeleteQueue: declaring.delete_queue,
    steps.Purge: declaring.purge,
    steps.SetPolicy: declaring.set_policy,
    steps.DeletePolicy: declaring.delete_policy,
}


TOPOLOGY = frozenset({
    steps.DeclareExchange, steps.DeclareQueue, steps.Bind, steps.Unbind, steps.DeleteExchange, steps.DeleteQueue,
})  # fmt: skip
# What moves no message by itself. A binding may, where an exchange remembers some.
AT_REST = frozenset({steps.DeclareExchange, steps.DeclareQueue, steps.Unbind, steps.Qos})


class RealBroker(RealState):
    """`apply` a step, `wait` for real."""

    at_work: str | None = None  # the channel of the last step
    topology_changes = False  # since a step that is about messages
    restless = True  # whether something may be on its way

    def apply(self, step: steps.Step) -> ClosedByBroker | None:
        """Carry out one step. A refusal closes the channel or connection, is noted in `failures` and returned."""
        name = step.consumer.channel if isinstance(step, steps.Consume) else getattr(step, "channel", None)
        self.at_work = name
        if type(step) in TOPOLOGY:
            self.topology_changes = True
        elif self.topology_changes:
            self.topology_changes = False
            wait_until_declared(self)
        self.restless = self.restless or type(step) not in AT_REST
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
        """Until the broker is at rest: several rounds in a row bring nothing new.

        A round asks the channel at work and those with consumers, to which something may be on its way, for a sign of life, and
        so takes as long as the broker is slow.
        """
        if not self.restless:
            self.connections.poll()
            return
        quiet, rounds = 0, ROUNDS_OF_A_LOG if any(queue.type.replicated for queue in self.queues.values()) else ROUNDS
        while quiet < rounds:
            before = self.arrived
            try:
                asked = [line.pika for line in self.channels.values() if line.subscriptions or line.name == self.at_work]
                self.connections.flush(asked)
                self.connections.poll(PAUSE_S)
            except ClosedByBroker:
                self.arrived += 1
            self._note_closed()
            quiet = quiet + 1 if self.arrived == before else 0
        self.restless = False

    def _note_closed(self) -> None:
        """What the broker has closed by itself."""
        for channel in list(self.channels.values()):
            if channel.name in self.channels and not channel.pika.is_open:
                endings.refused_by_broker(self, channel.name, closed_by_broker(channel))
                self.arrived += 1

    def wait(self, until_ms: int) -> None:
        """Until that time, or until something has come that consumers must react to."""
        self.restless = True
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
