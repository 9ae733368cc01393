"""A worker process at work, as Celery's: deliveries, commands and time in, what it does out (rules/celery#2.2).

It knows no engine. Each method is a generator of what the process does: steps for a broker (the generator is sent the
refusal, or None), events, and what it plans: `After` some time, or `Soon`, on the next turn of its event loop, when
everything that is under way at this instant has arrived. `connecting` has its life, `executing` the ways of tasks.
"""

from collections import deque

from routesim.broker import ConsumerEnded
from routesim.clients import connecting, executing, messages
from routesim.clients.actions import Actions, After, Shared, Soon, TaskJob, What
from routesim.clients.limits import PrefetchCount, RateLimit
from routesim.clients.requests import Request
from routesim.events import Event
from routesim.model import Message, TaskWorker, control_channel, gossip_channel, task_consumer
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Publish, Qos


class Process:
    """State: `reserved` wait for a child, `held` for their time, `running` are with a child, each by its number; `limits`
    keep those that wait for a token, each task's by its name; `buckets` are those for which a token is to come, older ones
    that a command has replaced among them. `life` counts the connections that it has had."""

    def __init__(self, plan: TaskWorker, shared: Shared, slack_ms: int = 0) -> None:
        self.plan = plan
        self.shared = shared
        self.consumers = {task_consumer(plan.name, queue): queue for queue in plan.queues}
        self.control_consumer = task_consumer(plan.name, plan.control) if plan.control is not None else None
        self.gossip_consumer = task_consumer(plan.name, plan.gossip) if plan.gossip is not None else None
        self.alive = False
        self.connected = False
        self.stopping = ""
        self.life = 0
        self.attempts = 0
        self.reduced = False
        self.prefetch = PrefetchCount(plan.prefetch, plan.eta_limit)
        self.reserved: deque[Request] = deque()
        self.held: dict[int, Request] = {}
        self.running: dict[int, TaskJob] = {}
        self.limits: dict[str, RateLimit] = {}
        self.buckets: dict[int, RateLimit] = {}
        self.rates: dict[str, float | None] = {}  # as commands have changed them
        self.revoked: set[str] = set()
        self.cancelled: set[str] = set()  # consumers, by a command
        self.sends_events = plan.sends_events
        self.opened: set[str] = set()  # connections beside the main one
        self.numbers = 0
        self.now = 0
        self.slack_ms = slack_ms  # so much before its time a task is due: a real clock is never exact
        self.dropped = False  # something that was planned is expected no more

    def channels(self) -> tuple[str, ...]:
        """Those by which deliveries come."""
        return self.plan.name, control_channel(self.plan.name), gossip_channel(self.plan.name)

    # What it is told ---------------------------------------------------------------------------------------------------

    def signal(self, do: str, now: int) -> Actions:
        """start, warm (TERM), cold (QUIT), kill (SIGKILL), disconnect or kill_child."""
        self.now = now
        if do == "start":
            if not self.alive:
                yield from connecting.start(self, "started")
        elif not self.alive:
            return
        elif do == "warm":
            yield from connecting.shut_down(self)
        elif do == "cold":
            yield from connecting.cancel_consumers(self)
            self.running.clear()
            yield from connecting.leave(self, "cold shutdown")
        elif do == "kill":
            yield from connecting.die(self, "killed")
        elif do == "disconnect":
            yield from connecting.disconnect(self)
        else:
            yield from executing.lose_children(self)

    def receive(self, delivery: Delivery[DeliveringQueue], now: int) -> Actions:
        """A message has arrived."""
        self.now = now
        consumer = delivery.subscription.name if delivery.subscription else ""
        if not self.connected:
            return
        if consumer == self.control_consumer:
            from routesim.clients.commands import carry_out  # few workers are sent commands

            yield from carry_out(self, delivery)
            return
        if consumer == self.gossip_consumer:
            return
        yield from executing.receive(self, delivery, consumer)
        yield from executing.begin(self)

    def ended(self, told: ConsumerEnded, now: int) -> Actions:
        """The broker, or the connection's end, has taken a consumer away."""
        self.now = now
        if not self.connected or self.stopping or told.consumer in self.cancelled:
            return
        if told.why == "channel closed":
            yield from connecting.die(self, "unrecoverable error: the broker closed its channel")
        elif told.channel_lost:
            yield from connecting.lose(self)
            yield Soon(("reconnect",))
        else:  # basic.cancel from the broker: it drops its connection and declares everything anew
            yield from connecting.disconnect(self)

    def fire(self, what: What, now: int) -> Actions:
        """The time of something planned has come."""
        self.now = now
        kind = what[0]
        if kind == "end":
            yield from executing.end(self, what[1])
        elif kind == "done":
            yield from executing.done(self, what[1])
        elif kind == "due":
            yield from executing.due(self, what[1])
        elif kind == "token":
            bucket = self.buckets.pop(what[1])
            bucket.timer = False
            yield from executing.take_tokens(self, bucket)
        elif kind == "heartbeat":
            yield from self.heartbeat()
        elif kind == "restart":
            yield from connecting.start(self, "started again")
        else:
            yield from connecting.connect(self, "reconnected")
        yield from executing.begin(self)

    def expects(self, what: What) -> bool:
        """Whether something planned still means anything."""
        kind = what[0]
        if kind in ("end", "done"):
            return what[1] in self.running
        if kind == "due":
            return what[1] in self.held
        if kind == "token":
            return what[1] in self.buckets
        if kind == "heartbeat":
            return self.connected and what[1] == self.life
        if kind == "restart":
            return not self.alive
        return self.alive and not self.connected

    def prefetch_per_child(self) -> int:
        """The prefetch multiplier."""
        return max(1, self.plan.prefetch // self.plan.concurrency)

    # Prefetch ----------------------------------------------------------------------------------------------------------

    def qos(self, value: int) -> Qos:
        return Qos(self.plan.name, value, self.plan.prefetch_of == "channel")

    def update_prefetch(self) -> Actions:
        value = self.prefetch.untold()
        if value is not None and self.connected:
            yield self.qos(value)

    def restore_prefetch(self) -> Actions:
        """After a reconnection each message of the new channel that is settled gives back a part of the limit (rules/celery#2.1).
        What was running at the loss gives nothing back: it cannot be settled."""
        if not self.reduced or not self.connected:
            return
        self.prefetch.value = min(self.plan.prefetch, self.prefetch.value + self.prefetch_per_child())
        self.reduced = self.prefetch.value != self.plan.prefetch
        yield from self.update_prefetch()

    # Telling -----------------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> Actions:
        yield event
        yield from messages.task_event(self, event)

    def heartbeat(self) -> Actions:
        yield from messages.worker_event(self, "heartbeat")
        if self.plan.heartbeat is not None:
            yield After(self.plan.heartbeat, ("heartbeat", self.life))

    def publish(self, channel: str, message: Message, base: str) -> Publish:
        """The step that sends a message of the process's own, named after `base`."""
        number = self.shared.published[base] = self.shared.published.get(base, 0) + 1
        return Publish(channel, message, f"{base}-{number}")

    def number(self) -> int:
        self.numbers += 1
        return self.numbers
