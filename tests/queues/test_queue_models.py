"""Classic and quorum queues against two small models of rules/queues#3.2, rules/queues#3.3, rules/queues#2,
on random scripts (hypothesis).

The models are written from the rules alone, with nothing of the engine in them; every delivery must agree: to whom, with
which tag, redelivered or not, and what is left ready in which order. The rules of 3.x: later ones differ in the order
of batches and have priorities of their own.
"""

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.broker import Bench

EXAMPLES = int(os.environ.get("ROUTESIM_EXAMPLES", "0"))
INFINITE = 10**9


class Member:
    """A consumer of a model."""

    def __init__(self, name, channel, prefetch, auto_ack, priority):
        self.name, self.channel, self.auto_ack, self.priority, self.prefetch = name, channel, auto_ack, priority, prefetch
        self.gone = False


class Model:
    """What both models share: channels with their tags and what is out on them."""

    def __init__(self):
        self.count = 0
        self.sent = []  # (consumer or channel, message, tag, redelivered)
        self.tags = {}
        self.out = {}  # channel -> {tag: (message, member or None)}
        self.members = {}
        self.returned = set()

    def deliver(self, channel, message, member):
        tag = self.tags[channel] = self.tags.get(channel, 0) + 1
        who = member.name if member else channel
        self.sent.append((who, message, tag, self.is_redelivered(message)))
        if member is None or not member.auto_ack:
            self.out.setdefault(channel, {})[tag] = (message, member)

    def groups(self, channel, tags):
        """rules/queues#4.4: gets by tag first, then consumers by their tag's bytes."""
        found = {}
        for tag in sorted(tags):
            message, member = self.out[channel].pop(tag)
            key = (1, member.name.encode()) if member else (0, tag)
            found.setdefault(key, (member, []))[1].append(message)
        return [found[key] for key in sorted(found)]

    def chosen(self, channel, tag, multiple):
        open_tags = self.out.get(channel, {})
        return [each for each in open_tags if each <= tag] if multiple else [tag]

    def settle(self, channel, tag, multiple, how):
        for member, messages in self.groups(channel, self.chosen(channel, tag, multiple)):
            self.apply(member, messages, how)


class ClassicModel(Model):
    """rules/queues#3.2."""

    def __init__(self):
        super().__init__()
        self.ready = []
        self.delivered = set()
        self.active = []
        self.blocked = {}
        self.credit = {}

    def is_redelivered(self, message):
        before = message in self.delivered
        self.delivered.add(message)
        return before

    def dispatch(self):
        while self.ready and self.active:
            highest = max(member.priority for member in self.active)
            member = next(item for item in self.active if item.priority == highest)
            self.active.remove(member)
            if self.credit[member] == 0:
                self.blocked.setdefault(member.channel, []).append(member)
                continue
            self.credit[member] -= 1
            self.deliver(member.channel, self.ready.pop(0), member)
            self.active.append(member)

    def publish(self):
        self.ready.append(self.count)
        self.count += 1
        self.dispatch()

    def consume(self, member):
        self.members[member.name] = member
        self.credit[member] = INFINITE if member.auto_ack or not member.prefetch else member.prefetch
        self.active.append(member)
        self.dispatch()

    def apply(self, member, messages, how):
        was_0 = False
        if member and not member.gone:
            was_0 = self.credit[member] == 0
            self.credit[member] += len(messages)
            if was_0:
                parked = self.blocked.pop(member.channel, [])
                self.active += [item for item in parked if self.credit[item] > 0]
                self.blocked[member.channel] = [item for item in parked if self.credit[item] == 0]
        if how == "requeue":
            self.ready = sorted(self.ready + messages)
        if how == "requeue" or was_0:
            self.dispatch()

    def forget(self, member):
        member.gone = True
        del self.members[member.name]
        for several in (self.active, *self.blocked.values()):
            if member in several:
                several.remove(member)

    def cancel(self, member):
        self.forget(member)

    def get(self, channel):
        if self.ready:
            self.deliver(channel, self.ready.pop(0), None)

    def close(self, channel):
        for member in [item for item in self.members.values() if item.channel == channel]:
            self.forget(member)
        self.ready = sorted(self.ready + [message for message, _ in self.out.pop(channel, {}).values()])
        self.tags.pop(channel, None)
        self.dispatch()


class QuorumModel(Model):
    """rules/queues#2.8, rules/queues#2.12, rules/queues#3.3 as of 3.x."""

    def __init__(self, limited):
        super().__init__()
        self.limited = limited
        self.returns, self.messages = [], []
        self.service = []
        self.credit = {}

    @property
    def ready(self):
        return self.returns + self.messages

    def is_redelivered(self, message):
        return message in self.returned

    def take(self):
        return (self.returns or self.messages).pop(0)

    def enqueue(self, member):
        if not member.gone and self.credit[member] > 0 and member not in self.service:
            self.service.append(member)

    def checkout(self):
        again = True
        while again:
            batches = {}
            while self.ready and self.service:
                highest = max(member.priority for member in self.service)
                member = next(item for item in self.service if item.priority == highest)
                self.service.remove(member)
                if self.credit[member] == 0 or member.gone:
                    continue
                batches.setdefault(member, []).append(self.take())
                self.credit[member] -= 1
                self.enqueue(member)
            again = False
            for member in sorted(batches, key=lambda item: item.name.encode()):
                for message in batches[member]:
                    self.deliver(member.channel, message, member)
                if member.auto_ack:
                    self.credit[member] += len(batches[member])
                    self.enqueue(member)
                    again = True

    def publish(self):
        self.messages.append(self.count)
        self.count += 1
        self.checkout()

    def consume(self, member):
        self.members[member.name] = member
        self.credit[member] = member.prefetch or 2000
        self.enqueue(member)
        self.checkout()

    def gain(self, member, count):
        if member and not member.gone:
            self.credit[member] += count
            self.enqueue(member)

    def apply(self, member, messages, how):
        if how == "requeue" and not self.limited:
            for message in messages:
                self.returned.add(message)
                self.messages.append(message)
                self.gain(member, 1)
                self.checkout()
            return
        if how == "requeue":
            self.returned.update(messages)
            self.returns += messages
        self.gain(member, len(messages))
        self.checkout()

    def cancel(self, member):
        member.gone = True
        del self.members[member.name]
        if member in self.service:
            self.service.remove(member)
        self.checkout()

    def get(self, channel):
        if self.ready:
            self.deliver(channel, self.take(), None)
            self.checkout()

    def close(self, channel):
        for member in [item for item in self.members.values() if item.channel == channel]:
            member.gone = True
            del self.members[member.name]
            if member in self.service:
                self.service.remove(member)
        held = [
            ((member.name if member else str(tag)).encode(), tag, message)
            for tag, (message, member) in self.out.pop(channel, {}).items()
        ]
        for _, _, message in sorted(held):
            self.returned.add(message)
            self.returns.append(message)
        self.tags.pop(channel, None)
        self.checkout()


def model_of(kind):
    return ClassicModel() if kind == "classic" else QuorumModel(kind == "limited")


DEEDS = {"publish": 30, "consume": 12, "ack": 18, "nack": 16, "reject": 6, "get": 8, "cancel": 2, "close": 2}


def a_script(length, seed):
    rng = Random(seed)
    return [
        (*rng.choices(list(DEEDS), list(DEEDS.values())), rng.randrange(12), rng.randrange(12), rng.randrange(12))
        for _ in range(length)
    ]


def play(kind, script):
    """The same commands to a broker and to a model; they must agree after each."""
    b, model = Bench("3.10"), model_of(kind)
    b.queue("q", kind)
    names = iter("ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba")
    heard = []
    for deed, x, y, z in script:
        channel = ("c1", "c2", "c3")[x % 3]
        tags = list(model.out.get(channel, {}))
        if deed == "publish":
            b.send("q", model.count)
            model.publish()
        elif deed == "consume":
            name, prefetch, auto_ack, priority = next(names), (1, 2, 3, 0, 1)[y % 5], z % 6 == 5, (0, 0, 0, 5)[z % 4]
            b.consume(name, "q", channel=channel, prefetch=prefetch, auto_ack=auto_ack, priority=priority)
            model.consume(Member(name, channel, prefetch, auto_ack, priority))
        elif deed in ("ack", "nack", "reject") and tags:
            tag, multiple = tags[y % len(tags)], z % 3 == 0 and deed != "reject"
            requeue = deed != "ack" and z % 4 != 3
            if deed == "ack":
                b.ack(channel, tag, multiple=multiple)
            elif deed == "nack":
                b.nack(channel, tag, multiple=multiple, requeue=requeue)
            else:
                b.reject(channel, tag, requeue=requeue)
            model.settle(channel, tag, multiple, "requeue" if requeue else "drop")
        elif deed == "get":
            start = len(b.letters)
            b.get(channel, "q")
            # basic.get tells no consumer; the model names the channel. A get of a quorum queue may dispatch before it.
            b.letters[start:] = [letter if letter.consumer else letter._replace(consumer=channel) for letter in b.letters[start:]]
            model.get(channel)
        elif deed == "cancel" and model.members:
            member = list(model.members.values())[y % len(model.members)]
            b.cancel(member.name, channel=member.channel)
            model.cancel(member)
        elif deed == "close":
            b.close(channel)
            model.close(channel)
        heard = [(letter.consumer, letter.message, letter.tag, letter.redelivered) for letter in b.letters]
        told = [(who, str(message), tag, redelivered) for who, message, tag, redelivered in model.sent]
        assert sorted(heard) == sorted(told) if deed == "get" else heard == told
        if deed == "get":
            model.sent[:] = [(who, int(message), tag, redelivered) for who, message, tag, redelivered in heard]
        assert b.ready("q").replace("*", "").split() == [str(message) for message in model.ready]


@pytest.mark.parametrize("kind", ["classic", "quorum", "limited"])
@settings(max_examples=EXAMPLES or 120, derandomize=not EXAMPLES, deadline=None, database=None)
@given(st.integers(0, 60), st.integers(0, 2**32))
def test_a_queue_is_its_model(kind, length, seed):
    """rules/queues#3.2, rules/queues#3.3, rules/queues#2.2, rules/queues#2.8, rules/queues#2.12, rules/queues#4.4: publish,
    consume, settle, get, cancel and close in any order."""
    play(kind, a_script(length, seed))


@pytest.mark.parametrize("kind", ["classic", "quorum", "limited"])
def test_the_example_of_3_4(kind):
    """rules/queues#3.4 by the models themselves, so that they are known to follow the rules."""
    model = model_of(kind)
    for name in "ABC":
        model.consume(Member(name, name, 1, False, 0))
    for _ in range(3):
        model.publish()
    model.settle("B", 1, False, "ack")
    model.settle("A", 1, False, "ack")
    model.publish()
    model.publish()
    assert [(who, message) for who, message, _, _ in model.sent[3:]] == (
        [("A", 3), ("B", 4)] if kind == "classic" else [("B", 3), ("A", 4)]
    )
