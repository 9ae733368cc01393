"""The embedded RabbitMQ: the same steps that a real one would be asked, in virtual time."""

from collections import deque
from collections.abc import Callable
from typing import Any

from routesim import events, steps
from routesim.broker import (
    acknowledging,
    channels,
    copying,
    deadletters,
    policies,
    publishing,
    topology,
    transactions,
)
from routesim.broker.clock import DELAYED, LEASE, OVERDUE, RETRY, TICK, AgendaEntry
from routesim.broker.memory import Memory
from routesim.broker.records import NotPossible, StepFailure
from routesim.broker.state import DEAD_LETTER_RETRY_MS, State
from routesim.model import Policy
from routesim.queues import Channel, QueueType
from routesim.replies import AmqpError

# Which function carries out which step.
HANDLERS: dict[type, Callable[[State, Any], None]] = {
    steps.Publish: publishing.publish,
    steps.Get: acknowledging.get,
    steps.Ack: acknowledging.ack,
    steps.Nack: acknowledging.nack,
    steps.Reject: acknowledging.reject,
    steps.Recover: acknowledging.recover,
    steps.Qos: channels.qos,
    steps.Tx: transactions.tx,
    steps.Consume: channels.consume,
    steps.Cancel: channels.cancel,
    steps.Crash: channels.crash,
    steps.Close: channels.close,
    steps.Restart: channels.restart,
    steps.OpenChannel: channels.open_channel,
    steps.CloseChannel: channels.end_channel,
    steps.Flow: channels.flow,
    steps.SelectConfirms: channels.select_confirms,
    steps.DeclareExchange: topology.declare_exchange,
    steps.DeclareQueue: topology.declare_queue,
    steps.AskExchange: topology.ask_exchange,
    steps.AskQueue: topology.ask_queue,
    steps.Bind: topology.bind,
    steps.Unbind: topology.unbind,
    steps.DeleteExchange: topology.delete_exchange,
    steps.DeleteQueue: topology.delete_queue,
    steps.Purge: topology.purge,
    steps.Expire: topology.expire,
    steps.SetPolicy: policies.set_policy,
    steps.DeletePolicy: policies.delete_policy,
}


class RabbitBroker(State):
    """RabbitMQ's rules, of the version that `rules` are of."""

    def apply(self, step: steps.Step) -> AmqpError | None:
        """Carry out one step. A refusal closes the channel or connection, is noted in `failures` and returned."""
        if self.resting:
            self.changed()
        else:
            self.changes += 1
        try:
            HANDLERS[type(step)](self, step)
        except AmqpError as refused:
            self._close(step, refused)
            deadletters.drain(self)
            return refused
        except NotPossible as problem:
            self.failures.append(StepFailure(self.now, None, str(problem)))
        if self.pending_dead_letters:
            deadletters.drain(self)
        return None

    def _close(self, step: steps.Step, refused: AmqpError) -> None:
        self.failures.append(StepFailure(self.now, refused.code, refused.text))
        if refused.code == 400:  # the management API's answer closes nothing
            return
        name = step.consumer.channel if isinstance(step, steps.Consume) else getattr(step, "channel", None)
        if name is not None:
            self.close_refused(name, refused)

    def close_refused(self, name: str, refused: AmqpError) -> None:
        channel = self.channels.get(name) or self.channel(name)
        if refused.closes_connection:
            if self.listen:
                names = tuple(self.connections[channel.connection])
                self.listen(events.ConnectionClosed(self.now, channel.connection, refused.code, refused.text, names))
            channels.close_connection(self, channel.connection, "connection closed", name)
            return
        if self.listen:
            self.listen(events.ChannelClosed(self.now, name, refused.code, refused.text))
        channels.close_channel(self, channel, "channel closed", refused)

    def _fire(self, entry: AgendaEntry) -> None:
        kind, what = entry.kind, entry.what
        if kind == RETRY:
            if not self.retry_is_vain(*what):
                deadletters.retry(self, what[0])
            return
        self.changed(0)
        if kind == TICK:
            self._tick(what[0], entry.at_ms)
        elif kind == LEASE:
            topology.lease_over(self, what[0])
        elif kind == DELAYED:
            publishing.delay_over(self, *what)
        else:
            assert kind == OVERDUE
            self._overdue(*what)
        deadletters.drain(self)

    def _overdue(self, name: str, number: int) -> None:
        """An acknowledgement came too late: the channel is closed, or since 4.3 the consumer cancelled (rules/queues#5.10)."""
        found = acknowledging.overdue(self, name, number)
        if found is None:
            return
        channel, delivery, timeout = found
        if self.rules.acknowledgement_timeout == "channel":
            self._end_for_lateness(channel, timeout)
            return
        owner = delivery.subscription
        late = [
            item for item in channel.unacked.values()
            if item.queue is delivery.queue and item.subscription is owner and self.now - item.at_ms >= timeout
        ]  # fmt: skip
        for item in late:
            del channel.unacked[item.tag]
        channel.late |= {item.tag for item in late}
        gone = owner if owner is not None and not owner.cancelled else None
        if gone is not None:
            gone.timed_out = True
            channels.end_by_broker(self, gone, delivery.queue, "acknowledgement timeout")
        delivery.queue.unacked -= len(late)
        by = owner.name if owner is not None else channel.name
        delivery.queue.take_back(self, gone, [item.copy for item in late], by)
        if owner is None or (owner.cancelled and not owner.timed_out):  # nobody whom the broker could cancel
            self._end_for_lateness(channel, -1)
        elif channel.unacked and not channel.timeout_armed:
            self.watch_acknowledgement(channel)

    def _end_for_lateness(self, channel: Channel[QueueType], timeout_ms: int) -> None:
        number = self.connections[channel.connection].index(channel.name) + 1  # as a client numbers them, none closed before
        refused = AmqpError(
            406,
            f"delivery acknowledgement on channel {number} timed out. Timeout value used: {timeout_ms} ms. "
            "This timeout value can be configured, see consumers doc guide to learn more",
        )
        self.failures.append(StepFailure(self.now, refused.code, refused.text, channel.name))
        self.close_refused(channel.name, refused)

    def policy_of(self, queue: QueueType) -> Policy | None:
        """The policy in force, operator policies aside."""
        found = policies.matching(self, False, queue.broker_name, queue.kind)
        return found[0] if found else None

    def policy_if_full(self, queue: QueueType, name: str, overflow: str) -> Policy:
        """One of that name by which the queue takes no message more than it has now."""
        return policies.full(self, queue, name, overflow)

    def copy(self) -> "RabbitBroker":
        fresh: RabbitBroker = object.__new__(RabbitBroker)
        fresh.__dict__.update(self.__dict__)
        fresh.listen, fresh.tells_publishers = None, False
        fresh.outbox, fresh.told, fresh.failures, fresh.pending_dead_letters = deque(), deque(), [], deque()
        fresh.handed = fresh.answer = None
        fresh.routes, fresh.contents = Memory(self.routes.size), self.contents.copy()
        twins = copying.clone_into(self, fresh, {id(self.reply_queue): fresh.reply_queue})
        fresh.reply_channels = self.reply_channels.copy()
        fresh.changes, fresh.resting = self.changes, self.resting.copy()
        fresh.uncommitted = {
            name: [item._replace(route=copying.with_twins(item.route, twins)) for item in publishes]
            for name, publishes in self.uncommitted.items()
        }
        return fresh

    def fingerprint(self) -> tuple[Any, ...]:
        return *copying.fingerprint(self), *self.own_print()

    def own_print(self) -> tuple[Any, ...]:
        """What only RabbitMQ has, of its fingerprint."""
        uncommitted = tuple(
            (name, tuple((item.id, item.content.fingerprint(), item.mandatory, item.reached()) for item in publishes))
            for name, publishes in sorted(self.uncommitted.items())
        )
        resting = tuple(sorted((name, (self.now - passed_ms) % DEAD_LETTER_RETRY_MS) for name, passed_ms in self.resting.items()))
        return self.policies.fingerprint(), uncommitted, resting, tuple(sorted(self.reply_channels.items()))
