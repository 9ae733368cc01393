"""What holds after every step of any run, whatever the topology and the steps (hypothesis).

The events alone tell where every copy is, each change being one that its state allows; the queues hold just that; the
books balance; nobody is sent more than its prefetch; nothing waits for a consumer that could take it; limits and
expiries are kept. Set ROUTESIM_EXAMPLES to look at more runs than the few that are the same every time.
"""

import os
from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from kits.broker import ALL, WatchedAgenda

from routesim import events, steps
from routesim.broker import RabbitBroker, counts, imbalance
from routesim.model import REPLY_TO, Binding, ChannelPlan, Consumer, Exchange, Message, Policy, Queue
from routesim.replies import AmqpError
from routesim.values import Typed
from routesim.versions import rules

EXAMPLES = int(os.environ.get("ROUTESIM_EXAMPLES", "0"))
QUEUES = ("a", "b", "c")
EXCHANGES = ("fan", "top", "dir", "hed", "slow", "old")
CHANNELS = ("one", "two", "tx", "tx", "pair-1", "pair-2")
PLANS = {
    "tx": ChannelPlan("tx", "tx", confirms=False), "pair-1": ChannelPlan("pair-1", "pair"), "pair-2": ChannelPlan("pair-2", "pair"),
}  # fmt: skip


# The world and the script, out of a seed -------------------------------------------------------------------------------

ARGUMENTS = {
    "x-max-length": [0, 1, 2], "x-max-length-bytes": [0, 5], "x-overflow": ["reject-publish", "reject-publish-dlx", "drop-head"],
    "x-message-ttl": [0, 50, 1000], "x-dead-letter-exchange": ["", "fan", "top", "missing"], "x-single-active-consumer": [True],
    "x-expires": [3000], "x-max-priority": [2], "x-delivery-limit": [-1, 0, 2], "x-dead-letter-strategy": ["at-least-once"],
    "x-delayed-retry-type": ["all", "failed"], "x-delayed-retry-min": [70],
}  # fmt: skip
QUORUM_ONLY = ("x-delivery-limit", "x-dead-letter-strategy", "x-delayed-retry-type", "x-delayed-retry-min")


def some(rng, options, share):
    """Each of the options with a chance of `share`, with one of its values."""
    return {name: rng.choice(values) for name, values in options.items() if rng.random() < share}


def a_queue(rng, name, version):
    kind = rng.choice(["classic", "classic", "quorum", "quorum", "stream"])
    if kind == "stream":
        return Queue(name, arguments={"x-queue-type": kind})
    arguments = some(rng, ARGUMENTS, 0.2)
    for key in list(arguments):
        if (
            (key in QUORUM_ONLY and kind == "classic")
            or (key == "x-max-priority" and kind == "quorum")
            or ("retry" in key and version != "4.3")
        ):
            del arguments[key]
    if "x-dead-letter-exchange" in arguments and rng.random() < 0.7:
        arguments["x-dead-letter-routing-key"] = rng.choice(QUEUES)
        if kind == "quorum" and rng.random() < 0.4:
            arguments |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    classic = kind == "classic"
    return Queue(
        name, exclusive=classic and rng.random() < 0.1, auto_delete=classic and rng.random() < 0.15,
        arguments={"x-queue-type": kind, **arguments},
    )  # fmt: skip


def some_exchanges(rng):
    return [
        Exchange("fan", "fanout", auto_delete=rng.random() < 0.3), Exchange("top", "topic", arguments={"alternate-exchange": "fan"}),
        Exchange("dir", "direct", durable=rng.random() < 0.5), Exchange("hed", "headers"),
        Exchange("slow", "x-delayed-message", arguments={"x-delayed-type": "topic"}),
        Exchange("old", "x-recent-history", arguments={"x-recent-history-length": 2}),
    ]  # fmt: skip


def a_binding(rng):
    key = rng.choice(["a", "#", "x.*", "", "b"])
    if rng.random() < 0.25:
        return Binding(rng.choice(EXCHANGES), rng.choice(EXCHANGES), "exchange", key)
    arguments = rng.choice([{}, {"h": 1}, {"h": True, "x-match": "any"}])
    return Binding(rng.choice(EXCHANGES), rng.choice(QUEUES), "queue", key, arguments)


# Steps. A deed may look at the broker, to find a tag that is open.


def publish(run, rng):
    headers = None
    if rng.random() < 0.25:
        headers = rng.choice([{"h": 1}, {"h": True}, {"CC": ["b"]}, {"BCC": ["c"], "CC": ["x.y"]}, {"x-delay": 60}])
    wrong = rng.random() < 0.01
    message = Message(
        "missing" if wrong else rng.choice(["", "", "", *EXCHANGES]), rng.choice([*QUEUES, "x.y"]), "x" * rng.randrange(5), headers,
        rng.choice([None, None, 0, 1, 5, 9]), rng.choice([None, None, None, "0", "30"]), rng.choice([2, 2, 1]), rng.random() < 0.2,
    )  # fmt: skip
    return steps.Publish(rng.choice(["pub", "pub", *CHANNELS]), message, run.name("m"))


def consume(run, rng):
    arguments = rng.choice([{}, {}, {}, {"x-priority": 5}])
    prefetch = rng.choice([1, 1, 2, 3, 3, None])
    return steps.Consume(
        Consumer(
            run.name("w"), rng.choice(QUEUES), rng.choice(CHANNELS), prefetch, rng.random() < 0.1, rng.random() < 0.05, arguments
        )
    )


def open_tag(run, rng):
    """A channel and a tag that is open on it, nearly always."""
    holding = [name for name, channel in run.broker.channels.items() if channel.unacked]
    if not holding or rng.random() < 0.02:
        return rng.choice(CHANNELS), rng.randrange(3)
    name = rng.choice(holding)
    return name, rng.choice(list(run.broker.channels[name].unacked))


def cancel(run, rng):
    there = [(channel.name, tag) for channel in run.broker.channels.values() for tag in channel.subscriptions]
    return steps.Cancel(*rng.choice(there)) if there else steps.Cancel("one", "nobody")


POLICIES = (
    {"max-length": 1}, {"dead-letter-exchange": "fan"}, {"message-ttl": 20}, {"alternate-exchange": "fan"}, {"expires": 2000},
    {"overflow": "reject-publish", "max-length": 2}, {"delivery-limit": 1},
)  # fmt: skip


def policy(run, rng):
    pattern = rng.choice([".*", "^a", "^[bf]"])
    return steps.SetPolicy(Policy(rng.choice("pq"), pattern, rng.choice(POLICIES), "all", rng.randrange(3), rng.random() < 0.1))


DEEDS = {  # how often, and what
    publish: 16,
    consume: 4,
    lambda run, rng: steps.Get(rng.choice(CHANNELS), rng.choice(QUEUES), rng.random() < 0.2): 7,
    lambda run, rng: steps.Ack(*open_tag(run, rng), rng.random() < 0.3): 4,
    lambda run, rng: steps.Nack(*open_tag(run, rng), rng.random() < 0.3, rng.random() < 0.6): 7,
    lambda run, rng: steps.Reject(*open_tag(run, rng), rng.random() < 0.5): 4,
    lambda run, rng: steps.Recover(rng.choice(CHANNELS)): 1,
    lambda run, rng: steps.Qos(rng.choice(CHANNELS), rng.randrange(4), rng.random() < 0.3): 1,
    lambda run, rng: steps.Tx("tx", rng.choice(["select", "select", "commit", "rollback"])): 4,
    cancel: 1,
    policy: 1,
    lambda run, rng: steps.DeletePolicy(rng.choice("pq"), rng.random() < 0.1): 1,
    lambda run, rng: steps.Crash(rng.choice(["one", "two", "tx", "pair", "pub"])): 1,
    lambda run, rng: steps.Restart(rng.random() < 0.5) if rng.random() < 0.5 else 1: 1,
    lambda run, rng: steps.DeclareQueue(rng.choice(CHANNELS), rng.choice(run.declared)): 2,
    lambda run, rng: steps.DeclareExchange("one", rng.choice(run.exchanges)): 1,
    lambda run, rng: steps.Bind(rng.choice(CHANNELS), a_binding(rng)): 2,
    lambda run, rng: steps.Unbind(rng.choice(CHANNELS), a_binding(rng)): 1,
    lambda run, rng: steps.DeleteExchange("one", rng.choice(EXCHANGES), rng.random() < 0.5): 1,
    lambda run, rng: steps.DeleteQueue(rng.choice(CHANNELS), rng.choice(QUEUES), rng.random() < 0.1, rng.random() < 0.1): 1,
    lambda run, rng: steps.Purge(rng.choice(CHANNELS), rng.choice(QUEUES)): 1,
    lambda run, rng: rng.choice([1, 10, 30, 70]): 4,
    lambda run, rng: rng.choice([1000, 10_000, 200_000, 2_000_000]): 1,
}  # fmt: skip


# A run, and what is asked of it ----------------------------------------------------------------------------------------


class Run:
    def __init__(self, version, declared, exchanges):
        self.events = []
        self.version = version
        self.broker = RabbitBroker(rules(version), listen=self.events.append, channel_plans=dict(PLANS))
        self.broker.agenda = WatchedAgenda()
        self.declared, self.exchanges = declared, exchanges
        self.names = 0
        self.where = {}  # copy -> (queue, state, consumer or channel that has it)
        self.refused = set()  # (message, queue) that a queue at its limit did not take
        self.next_tags = {}
        self.read = 0
        self.limited_channels = set()  # those that ever had a limit as a whole
        self.prefetch = {}
        self.confirms = Counter()
        self.owed = Counter()

    def name(self, kind):
        self.names += 1
        return f"{kind}{self.names}"

    def do(self, step):
        noted = len(self.broker.failures)
        if isinstance(step, int):
            self.broker.advance(self.broker.now + step)
        else:
            if isinstance(step, steps.Qos) and step.whole_channel and step.prefetch:
                self.limited_channels.add(step.channel)
            refused = self.broker.apply(step)
            assert refused is None or isinstance(refused, AmqpError)
            assert (refused is not None) <= (len(self.broker.failures) > noted)
        self.broker.outbox.clear()
        for event in self.events[self.read :]:
            self.hear(event)
        self.read = len(self.events)
        if self.broker.livelock is None:
            self.check()

    # The events, as a story in which every change must be possible ----------------------------------------------------

    def hear(self, event):
        kind = type(event)
        if (
            kind is events.Restarted
            or kind is events.ConnectionLost
            or kind is events.ChannelClosed
            or kind is events.ConnectionClosed
        ):
            return
        if kind is events.Refused:
            self.refused.add((event.message, event.queue))
        elif kind is events.Confirmed:
            self.confirms[event.message] += 1
        elif kind is events.ConsumerStarted:
            subscription, _ = (
                self.broker.channels.get(event.channel).subscriptions.get(event.consumer, (None, None))
                if (self.broker.channels.get(event.channel))
                else (None, None)
            )
            if subscription is not None:
                self.prefetch[event.consumer] = subscription.prefetch
            self.next_tags.setdefault(event.channel, 1)
        elif kind in MOVES and event.copy is not None and event.queue != REPLY_TO:
            self.move(event, kind)

    def move(self, event, kind):
        copy, queue = event.copy, event.queue
        known = self.where.get(copy)
        state = known[1] if known else None
        assert known is None or known[0] == queue, (event, known)
        streams = self.is_stream(queue)
        if kind is events.Enqueued:
            assert state is None, event
            self.where[copy] = (queue, "ready", "")
        elif kind is events.Delivered:
            assert state == "ready", (event, state)
            if not streams:
                self.where[copy] = (queue, "gone" if event.auto_ack else "unacked", event.consumer)
        elif kind is events.Got:
            assert state == "ready", (event, state)
            self.where[copy] = (queue, "gone" if event.auto_ack else "unacked", event.channel)
        elif kind is events.Acked:
            assert state == ("ready" if streams else "unacked"), (event, state)
            if not streams:
                self.where[copy] = (queue, "gone", "")
        elif kind is events.Rejected:
            assert streams or state == "unacked", (event, state)
            if not streams:
                self.where[copy] = (queue, "dying", "")
        elif kind is events.Requeued:
            assert state == "unacked", (event, state)
            self.where[copy] = (queue, "ready", "")
        elif kind is events.Awaiting:
            assert state in ("ready", "dying", "unacked", "awaiting"), (event, state)
            self.where[copy] = (queue, "awaiting", "")
        elif kind in (events.DeadLettered, events.Dropped):
            if known is None:  # never taken: reject-publish-dlx hands it on
                assert (event.message, queue) in self.refused, event
                return
            wanted = {"rejected": ("dying", "awaiting"), "delivery_limit": ("unacked", "awaiting")}
            assert state in wanted.get(event.reason, ("ready", "awaiting")), (event, state)
            self.where[copy] = (queue, "gone", "")
        else:
            assert kind in (events.Purged, events.Deleted, events.LostAtRestart)
            assert state not in (None, "gone", "dying"), (event, state)
            self.where[copy] = (queue, "gone", "")

    def is_stream(self, queue):
        return next(item.arguments["x-queue-type"] for item in self.declared if item.name == queue) == "stream"

    # What the queues hold -----------------------------------------------------------------------------------------------

    def check(self):
        broker = self.broker
        assert imbalance(counts(broker)) is None, imbalance(counts(broker))
        assert not broker.pending_dead_letters
        told = {}
        for copy, (queue, state, _) in self.where.items():
            if state != "gone":
                told.setdefault((queue, state), set()).add(copy)
        assert not [key for key in told if key[1] == "dying"]
        assert {queue for queue, _ in told} <= set(broker.queues)
        out = self.out()
        for name, queue in broker.queues.items():
            ready = list(queue.ready())
            assert len(ready) == queue.ready_count()
            present = [copy.serial for copy in (*ready, *queue.held_back())]
            assert len(present) == len(set(present))
            assert set(present) == told.get((name, "ready"), set())
            assert {copy.serial for copy, _ in queue.awaiting} == told.get((name, "awaiting"), set())
            unacked = told.get((name, "unacked"), set())
            assert set(out.get(name, ())) == unacked
            assert len(out.get(name, ())) == len(unacked) == queue.unacked
            self.check_order(queue, ready)
            self.check_limits(queue, ready)
            self.check_consumers(queue, ready)

    def out(self):
        """By queue: the copies that channels hold, those with an answer in a transaction included."""
        found = {}
        for channel in self.broker.channels.values():
            deliveries = list(channel.unacked.values())
            for answer in channel.answered or ():
                deliveries += answer.deliveries
            assert len({item.tag for item in deliveries}) == len(deliveries)
            for item in deliveries:
                if not item.queue.deleted and not item.queue.keeps_log and item.queue.name != REPLY_TO:
                    found.setdefault(item.queue.name, []).append(item.copy.serial)
        return found

    def check_order(self, queue, ready):
        """rules/queues#2.1, rules/queues#2.4: a classic queue is sorted by arrival inside each level."""
        if queue.kind != "classic":
            return
        levels = {}
        highest = []
        for copy in ready:
            level = min(copy.content.priority or 0, queue.settings.max_priority or 0) if queue.settings.max_priority else 0
            levels.setdefault(level, []).append(copy.serial)
            highest.append(level)
        assert highest == sorted(highest, reverse=True)
        for serials in levels.values():
            assert serials == sorted(serials)

    def check_limits(self, queue, ready):
        """rules/queues#6.3, rules/queues#5.4: drop-head keeps to its limits;
        no head is past its time but in a priority queue (rules/queues#5.6)."""
        limits = queue.settings
        if queue.kind == "stream":
            return
        if limits.overflow == "drop-head":
            if limits.max_length is not None:
                assert len(ready) <= limits.max_length
            if limits.max_length_bytes is not None:
                assert sum(copy.content.size for copy in ready) <= limits.max_length_bytes
        if ready and not limits.max_priority:
            assert ready[0].expires_at is None or ready[0].expires_at > self.broker.now

    def check_consumers(self, queue, ready):
        """rules/queues#3.6, rules/queues#3.12: no more than the prefetch is out, and no consumer with credit is kept waiting."""
        limits = queue.settings
        holding = Counter(holder for name, state, holder in self.where.values() if name == queue.name and state == "unacked")
        for subscription in queue.subscriptions.values():
            prefetch = subscription.prefetch
            if queue.kind == "stream":
                continue
            held = holding[subscription.name]
            # Before 3.12 a message that dies of its delivery limit gives two credits back.
            gives_more = limits.delivery_limit is not None and self.broker.rules.quorum_limit_death_credit > 1
            if prefetch and not subscription.auto_ack and not gives_more:
                assert held <= prefetch, (subscription.name, held)
            if subscription.channel.name in self.limited_channels or not ready:
                continue
            if queue.settings.single_active_consumer:
                continue
            has_credit = subscription.auto_ack or not prefetch or held < prefetch
            assert not has_credit, f"{subscription.name} could take {ready[0].message} of {queue.name}"
        if queue.settings.single_active_consumer and queue.subscriptions and queue.kind != "stream":
            single = queue.active_consumer
            assert single is not None
            assert single in queue.subscriptions.values()
            free = single.auto_ack or not single.prefetch or holding[single.name] < single.prefetch
            if ready and free and not single.quiescing and single.channel.name not in self.limited_channels:
                raise AssertionError(f"the single active {single.name} could take {ready[0].message}")


MOVES = (
    events.Enqueued, events.Delivered, events.Got, events.Acked, events.Rejected, events.Requeued, events.DeadLettered, events.Dropped,
    events.Awaiting, events.Purged, events.Deleted, events.LostAtRestart,
)  # fmt: skip


def begin(version, seed):
    """A run on a topology that the seed draws, and the randomness for its steps."""
    rng = Random(seed)
    run = Run(version, [a_queue(rng, name, version) for name in QUEUES], some_exchanges(rng))
    for exchange in run.exchanges:
        run.do(steps.DeclareExchange("one", exchange))
    for queue in run.declared:
        run.do(steps.DeclareQueue("one", queue))
    for _ in range(6):
        run.do(steps.Bind("one", a_binding(rng)))
    return run, rng


def next_step(run, rng):
    (deed,) = rng.choices(list(DEEDS), list(DEEDS.values()))
    return deed(run, rng)


# The length comes first, so that a failing run is cut short to the step that fails.
runs = given(st.integers(0, 70), st.sampled_from(ALL), st.integers(0, 2**32))
many = settings(max_examples=EXAMPLES or 150, derandomize=not EXAMPLES, deadline=None, database=None)


@many
@runs
def test_whatever_happens_everything_is_accounted_for(length, version, seed):
    """All step types on a random topology: see the top of this file."""
    run, rng = begin(version, seed)
    for _ in range(length):
        run.do(next_step(run, rng))
        if run.broker.livelock:
            return


def test_the_runs_get_somewhere():
    """A run that never reached anything would keep every promise: together they reach every column of the books."""
    total = Counter()
    for seed in range(40):
        run, rng = begin(ALL[seed % len(ALL)], seed)
        for _ in range(70):
            run.do(next_step(run, rng))
            if run.broker.livelock:
                break
        total.update(counts(run.broker))
        total["awaiting_dead_letter"] += sum(type(event) is events.Awaiting for event in run.events)
        total["in transactions"] += sum(type(event) is events.Transaction and event.do == "commit" for event in run.events)
    assert {name: count for name, count in total.items() if not count} == {}


@many
@runs
def test_the_same_run_tells_the_same_story(length, version, seed):
    """Same steps and seed, same events; and nobody listening changes nothing."""
    run, rng = begin(version, seed)
    played = []
    for _ in range(length):
        played.append(next_step(run, rng))
        run.do(played[-1])
    again, deaf = begin(version, seed)[0], begin(version, seed)[0]
    deaf.broker.listen = None
    for step in played:
        for other in (again, deaf):
            other.broker.advance(other.broker.now + step) if isinstance(step, int) else other.broker.apply(step)
    assert again.events == run.events
    assert counts(deaf.broker) == counts(run.broker)
    assert deaf.broker.fingerprint() == run.broker.fingerprint()


@settings(max_examples=EXAMPLES or 60, derandomize=not EXAMPLES, deadline=None, database=None)
@given(
    st.sampled_from(["classic", "quorum"]),
    st.lists(
        st.tuples(
            st.sampled_from(["publish", "consume", "get", "ack", "nack", "close", "time"]), st.integers(0, 11), st.integers(0, 11)
        ),
        max_size=40,
    ),
)
def test_every_publish_is_confirmed_once(kind, script):
    """rules/queues#4.9: one answer for each publish of a channel with confirms, whatever becomes of the message."""
    told = []
    broker = RabbitBroker(rules("4.2"), listen=told.append)
    broker.apply(steps.DeclareQueue("d", Queue("q", arguments={"x-queue-type": kind, "x-max-length": 2, "x-message-ttl": 30})))
    names = []

    def at(options, index):
        return options[index % len(options)]

    for position, (what, a, b) in enumerate(script):
        if what == "publish":
            names.append(f"m{position}")
            broker.apply(
                steps.Publish(at(("p", "r"), a), Message("", at(("q", "q", "nowhere"), b), mandatory=b % 2 == 0), names[-1])
            )
        elif what == "consume":
            broker.apply(steps.Consume(Consumer(f"w{position}", "q", at(("x", "y"), a), b % 3)))
        elif what == "get":
            broker.apply(steps.Get(at(("x", "y"), a), "q"))
        elif what in ("ack", "nack"):
            channel = broker.channels.get(at(("x", "y"), a))
            if channel and channel.unacked:
                tag = at(list(channel.unacked), b)
                broker.apply(steps.Ack(channel.name, tag) if what == "ack" else steps.Nack(channel.name, tag))
        elif what == "close":
            broker.apply(steps.Crash(at(("x", "y"), a)))
        else:
            broker.advance(broker.now + b * 5)
        broker.outbox.clear()
    assert [event.message for event in told if type(event) is events.Confirmed] == names


def test_typed_values_survive_in_the_drawn_world():
    """The worlds above hold arguments that differ by their wire type alone; they are different bindings."""
    told = []
    broker = RabbitBroker(rules("3.10"), listen=told.append)
    broker.apply(steps.DeclareQueue("d", Queue("a")))
    for value in (1, True, 1.0, Typed("long", 1)):
        broker.apply(steps.Bind("d", Binding("amq.match", "a", "queue", "", {"h": value})))
    assert sum(type(event) is events.Bound for event in told) == 4
