"""A round of moves that comes again and again, gone without a look at what it does to whose turn it is: that stays the same."""

from collections.abc import Sequence
from heapq import heapify
from typing import Any

from routesim.broker import RabbitBroker
from routesim.broker.ledger import Ledger
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.queues import Copy, LinedQueue
from routesim.run.agenda import NextPublish, RunAgenda
from routesim.run.budget import RoundCost
from routesim.run.express.emitting import Emits
from routesim.run.express.lanes import Consumes, Lane, Publishes, Publishing, WaitingLine
from routesim.run.express.looks import Look
from routesim.run.express.moves import PlainMove
from routesim.run.express.prepared import AckingConsumer, PreparedPublish
from routesim.run.express.steady import Steady, is_steady
from routesim.run.rounds_text import PIECES_AT_ONCE
from routesim.scenario import PublishMany

LEAST_STEADY = 4  # so few rounds are not worth it
PIECES_OF_SILENCE = 10  # so much a move counts that nobody hears of


class Round:
    """`first` and `second` are the looks before and after it."""

    def __init__(
        self, broker: RabbitBroker, agenda: RunAgenda, emits: Emits, moves: list[PlainMove], first: Look, second: Look
    ) -> None:  # fmt: skip
        self.broker = broker
        self.agenda = agenda
        self.emits = emits
        self.first = first
        self.second = second
        self.takes_ms = second.now - first.now
        self.lanes: dict[ScriptedConsumer, Lane] = {}
        self.queues: dict[int, WaitingLine] = {}
        self.publishing: dict[int, Publishing] = {}
        self.due = {id(entry.action): entry.number for *_, entry in agenda.heap if type(entry) is NextPublish}
        self.widest = 1  # the most queues that one publish reaches
        self.serials = 0  # copies made in a round
        self.sent: dict[str, int] = {}  # deliveries on each channel in a round
        self.plays = [self._play(move) for move in moves]

    # What is repeated --------------------------------------------------------------------------------------------------

    def _play(self, move: PlainMove) -> Publishes | Consumes:
        offset = move.at_ms - self.first.now
        if move.publish is not None and move.action is not None:
            return self._publish(offset, move.publish, move.action, move.takers)
        acks, takes = move.acks, move.takes
        if takes is None:
            assert acks is not None
            self._source(acks.source.queue)
            return Consumes(offset, acks.acked.rows, self._lane(acks), self._answer(acks), None, 0, None, 0)
        source, lane = self._source(takes.source.queue), self._lane(takes)
        source.went += 1
        if acks is None:
            return Consumes(offset, takes.delivered.rows, None, 0, lane, self._send(lane), source, source.went - 1)
        assert acks is takes
        assert takes.next is not None
        return Consumes(offset, takes.next.rows, lane, self._answer(takes), lane, self._send(lane), source, source.went - 1)

    def _publish(self, offset: int, publish: PreparedPublish, action: PublishMany, takers: tuple[int, ...]) -> Publishes:
        if id(action) not in self.publishing:
            self.publishing[id(action)] = Publishing(action, self.due[id(action)])
        publishing = self.publishing[id(action)]
        publishing.a_round += 1
        to: list[Lane | WaitingLine] = []
        tags: tuple[int, ...] = ()
        for plain, taker in zip(publish.queues, takers, strict=True):
            source = self._source(plain.queue)
            if taker:
                source.passed += 1
                lane = self._lane(plain.consumers[taker])
                tags += (self._send(lane),)
                to.append(lane)
            else:
                source.came += 1
                to.append(source)
        self.widest = max(self.widest, len(to))
        serial, self.serials = self.serials, self.serials + len(to)
        rows = self.emits.of_publish(publish, takers).rows
        return Publishes(offset, rows, publishing, publishing.a_round - 1, serial, publish.content, tuple(to), tags)

    def _answer(self, acking: AckingConsumer) -> int:
        """One more answer of its: how many it has given before in the round."""
        lane = self._lane(acking)
        lane.answered += 1
        return lane.answered - 1

    def _send(self, lane: Lane) -> int:
        """One more delivery to it: how many its channel has been sent before in the round."""
        lane.sent += 1
        channel = lane.channel.name
        self.sent[channel] = self.sent.get(channel, 0) + 1
        return self.sent[channel] - 1

    def _lane(self, acking: AckingConsumer) -> Lane:
        if acking.state not in self.lanes:
            self.lanes[acking.state] = Lane(acking)
        return self.lanes[acking.state]

    def _source(self, queue: LinedQueue) -> WaitingLine:
        if id(queue) not in self.queues:
            self.queues[id(queue)] = WaitingLine(queue)
        return self.queues[id(queue)]

    # How often ---------------------------------------------------------------------------------------------------------

    def cost(self, reactions: int) -> RoundCost:
        before, after = self.first.ledger, self.second.ledger
        fewer = (after.acked - before.acked) - (after.enqueued - before.enqueued)
        return RoundCost(reactions, after.movements() - before.movements(), fewer, len(self.plays) * self.widest, self.widest + 3)

    def in_hand(self) -> int:
        return sum(len(lane.hands.tags) for lane in self.lanes.values())

    def is_whole(self) -> bool:
        return all(lane.hands.is_whole() for lane in self.lanes.values())

    def most(self, limit: int) -> int:
        """How often the round can be gone, not beyond `limit` and not up to anything else that is due."""
        timers = self.broker.agenda.heap
        others = [item[0] - 1 for item in self.agenda.heap if item[2] in self.first.entries]
        until = min([limit, *others, *([timers[0].at_ms - 1] if timers else [])])
        most = (until - self.second.now) // self.takes_ms
        most = min([most, *(item.left // item.a_round for item in self.publishing.values())])
        for lane in self.lanes.values():
            most = lane.most(most)
        for source in self.queues.values():
            most = source.most(most)
        return most

    def repeat(self, times: int) -> None:
        """Go it so often; then everything that is planned and in hand is what it would be."""
        broker, first, second = self.broker, self.first, self.second
        broker.requeues_now.clear()
        broker.now = second.now + times * self.takes_ms
        for name in Ledger.__slots__:
            before, after = getattr(first.ledger, name), getattr(second.ledger, name)
            setattr(broker.ledger, name, after + times * (after - before))
        for lane in self.lanes.values():
            lane.take_over()
        self._play_all(times)
        moved = self._replace_hands(times)
        self._replace_plans(times, moved)

    def _play_all(self, times: int) -> None:
        lanes, sources = list(self.lanes.values()), list(self.queues.values())
        before = max((lane.ago() for lane in lanes), default=0)  # what is in hand now need not be as steady as what comes
        if not is_steady(lanes, sources) or times < 2 * before + LEAST_STEADY:
            self._play_in_detail(times)
            return
        if self.emits.listener is not None:
            self._play_in_detail(before)
            times -= before
        now = self.broker.now - times * self.takes_ms
        Steady(self.broker, self.emits, self.plays, self.sent, self.serials, now, self.takes_ms).go(times)

    def _play_in_detail(self, times: int) -> None:
        at_once = max(1, PIECES_AT_ONCE // (1 + sum(max(PIECES_OF_SILENCE, len(play.rows.pieces)) for play in self.plays)))
        done = 0
        while done < times:
            some = min(at_once, times - done)
            self._play_some(self.second.now + done * self.takes_ms, some)
            done += some

    def _play_some(self, now: int, times: int) -> None:
        """So many rounds from `now` on, move by move: what a move does in each of them is one column of values.

        Each queue, and what each consumer has in hand, is a line that is left in the order in which it is joined, so all that
        joins it may do so before anything leaves.
        """
        every = self.takes_ms
        columns: list[dict[str, Sequence[Any]]] = [
            {"at_ms": range(now + play.offset, now + play.offset + times * every, every)} for play in self.plays
        ]
        for place, (play, found) in enumerate(zip(self.plays, columns, strict=True)):
            if type(play) is Publishes:
                self._publish_some(place, play, found, times)
        heads = {key: source.heads(times) for key, source in self.queues.items() if source.came or source.went}
        for place, (play, found) in enumerate(zip(self.plays, columns, strict=True)):
            if type(play) is Consumes and play.takes is not None and play.source is not None:
                copies = heads[id(play.source.queue)][play.place :: play.source.went]
                tags = self._tags(play.takes, play.tag, times)
                play.takes.fresh.append((place, zip(copies, tags, found["at_ms"], strict=True)))
                self._show(found, "" if play.acks is None else "next_", copies, tags)
        answers = {state: lane.answers(times) for state, lane in self.lanes.items()}
        for play, found in zip(self.plays, columns, strict=True):
            if type(play) is Consumes and play.acks is not None:
                held = answers[play.acks.acking.state][play.answer :: play.acks.answered]
                self._show(found, "", [item[0] for item in held], [item[1] for item in held])
        if self.emits.listener is not None:
            self.emits.listener.emit_rounds(times, [(play.rows, found) for play, found in zip(self.plays, columns, strict=True)])
        self.broker.serial += times * self.serials
        for publishing in self.publishing.values():
            publishing.number += times * publishing.a_round
        for channel in {id(lane.channel): lane.channel for lane in self.lanes.values()}.values():
            channel.next_tag += times * self.sent.get(channel.name, 0)

    def _publish_some(self, place: int, play: Publishes, found: dict[str, Sequence[Any]], times: int) -> None:
        publishing, first, make = play.publishing, self.broker.serial + 1 + play.serial, tuple.__new__
        number, a_round, prefix, content = publishing.number + play.place, publishing.a_round, publishing.prefix, play.content
        messages = [f"{prefix}{each}" for each in range(number, number + times * a_round, a_round)]
        found["message"] = messages
        sent = 0
        for index, each in enumerate(play.to):
            serials = range(first + index, first + index + times * self.serials, self.serials)
            found[f"copy{index}"] = serials
            if isinstance(each, Lane):
                found[f"tag{sent}"] = tags = self._tags(each, play.tags[sent], times)
                sent += 1
                if not each.acking.takes:
                    continue
            copies = [
                make(Copy, (serial, message, content, None, 0, 0)) for serial, message in zip(serials, messages, strict=True)
            ]
            if isinstance(each, WaitingLine):
                each.join(copies, times * each.queue.size(content))
            else:
                each.fresh.append((place, zip(copies, tags, found["at_ms"], strict=True)))

    def _tags(self, lane: Lane, before: int, times: int) -> range:
        """Of the deliveries of one move, each round after so many others on the channel."""
        channel = lane.channel
        first, a_round = channel.next_tag + before, self.sent[channel.name]
        return range(first, first + times * a_round, a_round)

    def _show(self, found: dict[str, Sequence[Any]], which: str, copies: Sequence[Copy], tags: Sequence[int]) -> None:
        """To who listens, of the first or the `next_` message of a move."""
        if self.emits.listener is not None:
            copy, tag = (f"{which}copy", f"{which}tag") if which else ("copy0", "tag0")
            found[f"{which}message"] = [item.message for item in copies]
            found[copy], found[tag] = [item.serial for item in copies], tags

    def _replace_hands(self, times: int) -> dict[tuple[ScriptedConsumer, int], ConsumerJob]:
        """The jobs at hand, by the numbers that those in their places had."""
        moved: dict[tuple[ScriptedConsumer, int], ConsumerJob] = {}
        for state, lane in self.lanes.items():
            for number, job in lane.hand_back(times * (self.second.jobs[state] - self.first.jobs[state])):
                moved[state, number] = job
            lane.acking.subscription.credit += times * lane.credits
        for key, source in self.queues.items():
            source.queue.unacked += times * (self.second.unacked[key] - self.first.unacked[key])
            source.queue.took(times * (source.went + source.passed))
        return moved

    def _replace_plans(self, times: int, moved: dict[tuple[ScriptedConsumer, int], ConsumerJob]) -> None:
        agenda, later = self.agenda, times * self.takes_ms
        more = times * (self.second.planned - self.first.planned)
        heap: list[Any] = []
        for item in agenda.heap:
            at_ms, rank, number, entry = item
            if number in self.first.entries:
                heap.append(item)
                continue
            if type(entry) is ConsumerJob:
                fresh: Any = moved[entry.consumer, entry.number]
            else:
                assert type(entry) is NextPublish
                index = entry.number + times * self.publishing[id(entry.action)].a_round
                fresh = NextPublish(entry.action, index, entry.at_ms + later)
            heap.append((at_ms + later, rank, number + more, fresh))
        heapify(heap)
        agenda.heap[:] = heap
        agenda.number += more
