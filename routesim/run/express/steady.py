"""Rounds in which whoever works is sent as much as it answers, and nothing begins to wait: what one answers was sent to it so
many rounds ago, always. So what is told of them follows from numbers that grow by the same step, and no message is followed."""

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

from routesim.broker import RabbitBroker
from routesim.content import Content
from routesim.queues import Copy
from routesim.run.batches import Columns, Numbered
from routesim.run.express.emitting import Emits
from routesim.run.express.lanes import Consumes, Held, Lane, Publishes, WaitingLine

MOVES_AT_ONCE = 20_000
ONE, NEXT = ("message", "copy0", "tag0"), ("next_message", "next_copy", "next_tag")  # of a message, and of another in its batch
Told: TypeAlias = tuple[Sequence[str], Sequence[int]]  # messages, and the numbers of their copies


class NewCopies:
    """What a move publishes to a consumer, or to queues: `first` the numbers of the message and its first copy in the first of
    these rounds, `a_round` how much both grow in each."""

    def __init__(self, prefix: str, content: Content, first: tuple[int, int], a_round: tuple[int, int]) -> None:
        self.prefix = prefix
        self.content = content
        self.first = first
        self.a_round = a_round

    def told(self, begin: int, count: int) -> Told:
        (message, serial), (messages, serials) = self.first, self.a_round
        numbers = progression(message + begin * messages, messages, count)
        return Numbered(self.prefix, numbers), progression(serial + begin * serials, serials, count)

    def copy(self, number: int) -> Copy:
        (message, serial), (messages, serials) = self.first, self.a_round
        return Copy(serial + number * serials, f"{self.prefix}{message + number * messages}", self.content, None, 0, 0)


class TakenCopies:
    """What a move takes from a queue. `copies`: of so many rounds, the first of which is `begin`."""

    def __init__(self, copies: list[Copy]) -> None:
        self.copies = copies
        self.begin = -len(copies)
        self._told: Told = ([], [])

    def take(self, copies: list[Copy], before: int, *, listening: bool) -> None:
        """What comes next, and so many rounds before are still asked for."""
        kept = self.copies[len(self.copies) - before :]
        self.begin += len(self.copies) - before
        self.copies = kept + copies
        if listening:
            self._told = [copy.message for copy in self.copies], stepping([copy.serial for copy in self.copies])

    def told(self, begin: int, count: int) -> Told:
        messages, serials = self._told
        at = slice(begin - self.begin, begin - self.begin + count)
        return messages[at], serials[at]

    def copy(self, number: int) -> Copy:
        return self.copies[number - self.begin]


class Sending:
    """What a move sends to a consumer, that of a queue or what is published. `tag`: its delivery tag in the first round."""

    def __init__(self, what: NewCopies | TakenCopies, at_ms: int, tag: int) -> None:
        self.what = what
        self.at_ms = at_ms
        self.tag = tag


class Steady:
    """So many rounds from `now` on, as steady as `is_steady` says. `sent`: deliveries on each channel in a round."""

    def __init__(
        self, broker: RabbitBroker, emits: Emits, plays: Sequence[Publishes | Consumes], sent: dict[str, int], serials: int,
        now: int, every: int,
    ) -> None:  # fmt: skip
        self.broker = broker
        self.listener = emits.listener
        self.plays = plays
        self.tags = sent
        self.serials = serials
        self.now = now
        self.every = every
        self.published: dict[int, NewCopies] = {}  # by the place of the move
        self.taken: dict[int, Sending] = {}  # the same
        self.heads: list[tuple[TakenCopies, WaitingLine, int, Lane]] = []  # that place among all that leaves the queue, to whom
        self.sent: dict[Lane, list[Sending]] = {}
        for place, play in enumerate(plays):
            self._begin(place, play)

    def _begin(self, place: int, play: Publishes | Consumes) -> None:
        at_ms = self.now + play.offset
        if isinstance(play, Consumes):
            if play.takes is not None and play.source is not None:
                lane, turn = play.takes, len(self.sent.get(play.takes, ()))
                held = [copy for copy, *_ in lane.held]
                # What it has in hand was sent by its moves in turn, the last one by the last.
                heads = TakenCopies([copy for index, copy in enumerate(held, -len(held)) if index % lane.sent == turn])
                self.heads.append((heads, play.source, play.place, lane))
                self.taken[place] = Sending(heads, at_ms, lane.channel.next_tag + play.tag)
                self._send(lane, self.taken[place])
            return
        publishing, sent = play.publishing, 0
        first = publishing.number + play.place
        for index, to in enumerate(play.to):
            what = NewCopies(
                publishing.prefix, play.content, (first, self.broker.serial + 1 + play.serial + index),
                (publishing.a_round, self.serials),
            )  # fmt: skip
            if not index:
                self.published[place] = what
            if isinstance(to, Lane):
                if to.acking.takes:
                    self._send(to, Sending(what, at_ms, to.channel.next_tag + play.tags[sent]))
                sent += 1

    def _send(self, lane: Lane, sent: Sending) -> None:
        self.sent.setdefault(lane, []).append(sent)

    def go(self, times: int) -> None:
        """Tells of them, and leaves everybody with what is in hand then."""
        sources = {id(source): source for _, source, *_ in self.heads}
        at_once = max(1, MOVES_AT_ONCE // len(self.plays))
        for begin in range(0, times, at_once):
            count = min(at_once, times - begin)
            self._take(sources, count)
            if self.listener is not None:
                columns = self._columns(begin, count)
                self.listener.emit_rounds(count, [(play.rows, found) for play, found in zip(self.plays, columns, strict=True)])
        for lane, sent in self.sent.items():
            lane.held = deque(self._held(lane, sent, times))
        self.broker.serial += times * self.serials
        for publishing in {id(play.publishing): play.publishing for play in self.plays if isinstance(play, Publishes)}.values():
            publishing.number += times * publishing.a_round
        for name, tags in self.tags.items():
            self.broker.channels[name].next_tag += times * tags

    def _take(self, sources: dict[int, WaitingLine], count: int) -> None:
        taken = {key: source.leave(count * source.went) for key, source in sources.items()}
        for heads, source, place, lane in self.heads:
            before = min(lane.ago(), len(heads.copies))
            heads.take(taken[id(source)][place :: source.went], before, listening=self.listener is not None)

    def _columns(self, begin: int, count: int) -> list[Columns]:
        found: list[Columns] = []
        for place, play in enumerate(self.plays):
            columns: dict[str, Any] = {"at_ms": progression(self.now + play.offset + begin * self.every, self.every, count)}
            if isinstance(play, Publishes):
                columns["message"], copies = self.published[place].told(begin, count)
                columns.update(
                    {f"copy{index}": progression(copies[0] + index, self.serials, count) for index in range(len(play.to))}
                )
                tags = zip((to for to in play.to if isinstance(to, Lane)), play.tags, strict=True)
                for index, (lane, tag) in enumerate(tags):
                    columns[f"tag{index}"] = self._tags(lane, lane.channel.next_tag + tag, begin, count)
            elif play.acks is not None:
                lane, (rounds, move) = play.acks, divmod(play.answer - len(play.acks.held), play.acks.sent)
                columns.update(zip(ONE, self._sent(lane, self.sent[lane][move], begin + rounds, count), strict=True))
            if isinstance(play, Consumes) and play.takes is not None:
                names = ONE if play.acks is None else NEXT
                columns.update(zip(names, self._sent(play.takes, self.taken[place], begin, count), strict=True))
            found.append(columns)
        return found

    def _sent(self, lane: Lane, sent: Sending, begin: int, count: int) -> tuple[Sequence[Any], ...]:
        """Its messages, their copies and tags."""
        return *sent.what.told(begin, count), self._tags(lane, sent.tag, begin, count)

    def _tags(self, lane: Lane, first: int, begin: int, count: int) -> range:
        a_round = self.tags[lane.channel.name]
        return progression(first + begin * a_round, a_round, count)

    def _held(self, lane: Lane, sent: list[Sending], times: int) -> list[Held]:
        found = []
        for number in range(times * lane.sent - len(lane.held), times * lane.sent):
            move, a_round = sent[number % lane.sent], number // lane.sent
            tag = move.tag + a_round * self.tags[lane.channel.name]
            found.append((move.what.copy(a_round), tag, move.at_ms + a_round * self.every))
        return found


def is_steady(lanes: Sequence[Lane], sources: Sequence[WaitingLine]) -> bool:
    return not any(source.came for source in sources) and all(lane.sent == lane.answered for lane in lanes if lane.acking.takes)


def progression(first: int, step: int, count: int) -> range:
    return range(first, first + count * step, step)


def stepping(numbers: list[int]) -> Sequence[int]:
    """As a range, if that is what they are."""
    if len(numbers) > 1:
        first, step = numbers[0], numbers[1] - numbers[0]
        if step > 0 and numbers[-1] == first + (len(numbers) - 1) * step:
            steps = progression(first, step, len(numbers))
            return steps if numbers == list(steps) else numbers
    return numbers
