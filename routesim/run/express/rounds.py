"""A round of moves that comes again and again, gone without a look at what it does to whose turn it is: that stays the same."""

from heapq import heapify
from typing import Any

from routesim.broker import RabbitBroker
from routesim.broker.ledger import Ledger
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.queues import Classic, Copy
from routesim.run.agenda import NextPublish, RunAgenda
from routesim.run.batches import silent
from routesim.run.budget import RoundCost
from routesim.run.express.emitting import Emits
from routesim.run.express.lanes import Lane, Play, Publishing, WaitingLine
from routesim.run.express.looks import Look
from routesim.run.express.moves import PlainMove
from routesim.run.express.prepared import AckingConsumer, PreparedPublish
from routesim.scenario import PublishMany


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
        self.plays = [self._play(move) for move in moves]

    # What is repeated --------------------------------------------------------------------------------------------------

    def _play(self, move: PlainMove) -> Play:
        offset = move.at_ms - self.first.now
        if move.publish is not None and move.action is not None:
            return self._publish(offset, move.publish, move.action, move.takers)
        acks, takes = move.acks, move.takes
        if takes is None:
            assert acks is not None
            self._source(acks.source.queue)
            self._lane(acks).answered += 1
            return Play(offset, None, None, (), self._lane(acks), None, None, acks.acked)
        source, lane = self._source(takes.source.queue), self._lane(takes)
        source.went += 1
        lane.sent += 1
        lane.answered += acks is not None
        emit = takes.delivered if acks is None else takes.next
        return Play(offset, None, None, (), None if acks is None else lane, lane, source, emit or silent)

    def _publish(self, offset: int, publish: PreparedPublish, action: PublishMany, takers: tuple[int, ...]) -> Play:
        if id(action) not in self.publishing:
            self.publishing[id(action)] = Publishing(action, self.due[id(action)])
        publishing = self.publishing[id(action)]
        publishing.a_round += 1
        to: list[Lane | WaitingLine] = []
        for plain, taker in zip(publish.queues, takers, strict=True):
            source = self._source(plain.queue)
            if taker:
                lane = self._lane(plain.consumers[taker])
                lane.sent += 1
                to.append(lane)
            else:
                source.came += 1
                to.append(source)
        self.widest = max(self.widest, len(to))
        emit = silent
        if self.emits.listener is not None:
            emit = publish.emits.get(takers) or self.emits.of_publish(publish, takers)
        return Play(offset, publishing, publish.content, tuple(to), None, None, None, emit)

    def _lane(self, acking: AckingConsumer) -> Lane:
        if acking.state not in self.lanes:
            self.lanes[acking.state] = Lane(acking)
        return self.lanes[acking.state]

    def _source(self, queue: Classic) -> WaitingLine:
        if id(queue) not in self.queues:
            self.queues[id(queue)] = WaitingLine(queue)
        return self.queues[id(queue)]

    # How often ---------------------------------------------------------------------------------------------------------

    def cost(self, reactions: int) -> RoundCost:
        before, after = self.first.ledger, self.second.ledger
        fewer = (after.acked - before.acked) - (after.enqueued - before.enqueued)
        return RoundCost(reactions, after.movements() - before.movements(), fewer, len(self.plays) * self.widest, self.widest + 3)

    def alone(self) -> bool:
        """Whether nothing else is planned."""
        return not self.broker.agenda.heap and not any(item[2] in self.first.entries for item in self.agenda.heap)

    def in_hand(self) -> int:
        return sum(len(lane.tags) for lane in self.lanes.values())

    def is_whole(self) -> bool:
        return all(lane.is_whole() for lane in self.lanes.values())

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
        begin = self._skip(times) if self.emits.listener is None else 0
        serial, make = self.broker.serial, tuple.__new__
        for now in range(self.second.now + begin * self.takes_ms, self.broker.now, self.takes_ms):
            for offset, publishing, content, to, acks, takes, source, emit in self.plays:
                if publishing is not None:
                    number = publishing.number
                    publishing.number = number + 1
                    message, first = f"{publishing.prefix}{number}", serial + 1
                    tags: tuple[int, ...] = ()
                    for each in to:
                        serial += 1
                        copy = make(Copy, (serial, message, content, None, 0, 0))
                        if type(each) is Lane:
                            channel = each.channel
                            channel.next_tag = (tag := channel.next_tag) + 1
                            if each.acking.takes:
                                each.held.append((copy, tag, now + offset))
                            tags += (tag,)
                        else:
                            queue = each.queue
                            queue.levels[0].append(copy)
                            queue.count += 1
                            queue.bytes += copy.content.size
                    emit(now + offset, message, first, *tags)
                    continue
                values: tuple[Any, ...] = ()
                if acks is not None:
                    copy, tag, _ = acks.held.popleft()
                    values = copy.message, copy.serial, tag
                if takes is not None:
                    queue, channel = source.queue, takes.channel
                    head = queue.levels[0].popleft()
                    queue.count -= 1
                    queue.bytes -= head.content.size
                    channel.next_tag = (tag := channel.next_tag) + 1
                    takes.held.append((head, tag, now + offset))
                    values += (head.message, head.serial, tag)
                emit(now + offset, *values)
        self.broker.serial = serial

    def _skip(self, times: int) -> int:
        """Where nobody listens and nothing begins to wait only the last rounds are of account, in which all that is in hand then
        comes: how many were left out."""
        if any(source.came for source in self.queues.values()):
            return 0
        if any(lane.acking.takes and lane.sent != lane.answered for lane in self.lanes.values()):
            return 0
        last = max((-(-len(lane.held) // lane.sent) for lane in self.lanes.values()), default=0)
        left_out = max(0, times - last)
        for source in self.queues.values():
            source.leave(left_out * source.went)
        for publishing in self.publishing.values():
            publishing.number += left_out * publishing.a_round
        self.broker.serial += left_out * (self.second.serial - self.first.serial)
        for lane in self.lanes.values():
            lane.channel.next_tag += left_out * lane.sent
        return left_out

    def _replace_hands(self, times: int) -> dict[tuple[ScriptedConsumer, int], ConsumerJob]:
        """The jobs at hand, by the numbers that those in their places had."""
        moved: dict[tuple[ScriptedConsumer, int], ConsumerJob] = {}
        for state, lane in self.lanes.items():
            for number, job in lane.hand_back(times * (self.second.jobs[state] - self.first.jobs[state])):
                moved[state, number] = job
        for key, source in self.queues.items():
            source.queue.unacked += times * (self.second.unacked[key] - self.first.unacked[key])
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
