"""What may happen next in a state, and what comes of it: one table of moves, failures among them."""

from collections.abc import Callable, Iterator
from typing import Any

from routesim import events
from routesim.clients.scripted_consumer import ConsumerJob
from routesim.durations import duration_text
from routesim.explore.draws import Draws
from routesim.explore.hands import AGAIN, Hand
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Do, PublishMany, Wait
from routesim.steps import Cancel, CloseChannel, Consume, Crash, Expire, Restart


class Move(NamedTuple):
    """One thing that happens: its kind, whom it is about, and which of several (in the order in which the state has them).
    `failure`: the kind of failure that it spends, "": none. `draws`: how chance falls out in it."""

    kind: str
    who: str = ""
    number: int = 0
    failure: str = ""
    draws: tuple[int, ...] = ()


# What may happen -----------------------------------------------------------------------------------------------------


def moves(world: World) -> tuple[list[Move], list[Move]]:
    """What happens by itself, and which failures may happen, each in a fixed order. The first is empty where all is over."""
    return _own(world), [*_failures(world)]


def _own(world: World) -> list[Move]:
    setting, now = world.setting, world.broker.now
    stage = world.stage_now()
    if setting.scenario.until == "steps" and stage is None:
        return []
    found: list[Move] = []
    any_time = setting.any_time
    if stage is not None and world.wait_until is None:
        if stage.barrier is not None:
            found.append(Move("barrier"))
        else:
            found += [Move("turn", channel) for channel, place in world.places.items() if place < len(stage.turns[channel])]
    for number, (at_ms, action, _) in enumerate(world.later):
        if at_ms <= now:
            found.append(Move("later", action.channel, number))
    for hand in world.hands:
        if hand.back_at is not None and hand.back_at <= now:
            found.append(Move("return", hand.consumer.name))
        found += [
            Move("finish", hand.consumer.name, place) for place, job in enumerate(hand.jobs) if any_time or hand.due[job] <= now
        ]
    then = next_instant(world) if any_time or not found else None
    if then is not None:
        found.append(Move("time", "", then - now))
    return found


def next_instant(world: World) -> int | None:
    """Until when time passes next; None: nothing is to come."""
    own = [at_ms for at_ms, *_ in world.later]
    if world.wait_until is not None:
        own.append(world.wait_until)
    for hand in world.hands:
        if hand.back_at is not None:
            own.append(hand.back_at)
        if not world.setting.any_time:
            own += hand.due.values()
    now, broker = world.broker.now, world.broker
    own = [at_ms for at_ms in own if at_ms > now]
    due = broker.due()
    if not own and broker.idle():
        return None
    found = min([*own, *([] if due is None else [due])], default=None)
    limit = world.setting.limit
    return None if found is None or (limit is not None and found > limit) else found


def _failures(world: World) -> Iterator[Move]:
    left = {kind for kind, spent, most in zip(world.setting.kinds, world.spent, world.setting.most, strict=True) if spent < most}
    if not left or sum(world.spent) >= world.setting.budget:
        return
    if "crash" in left:
        yield from _crashes(world)
    for kind in ("restart", "kill"):
        if kind in left:
            yield Move(kind, failure=kind)
    for hand in world.hands:
        if hand.consumes:
            for kind in ("cancel", "close_channel"):
                if kind in left:
                    yield Move(kind, hand.consumer.name, failure=kind)
    if "expire" in left:
        yield from (Move("expire", name, failure="expire") for name, queue in world.broker.queues.items() if queue.ready_count())


def _crashes(world: World) -> Iterator[Move]:
    seen = set()
    for hand in world.hands:
        if hand.consumes and hand.connection not in seen:
            seen.add(hand.connection)
            yield Move("crash", hand.connection, failure="crash")
        for place, (number, job) in enumerate(hand.jobs.items()):
            works = world.setting.any_time or hand.due[number] <= world.broker.now
            if works and not hand.consumer.auto_ack and (job.rule.do == "ack" or job.rule.publish) and job.rule.do != "crash":
                yield Move("crash after work", hand.consumer.name, place, failure="crash")
    stage = world.stage_now()
    if stage is None or world.wait_until is not None or stage.barrier is not None:
        return
    for channel in world.places:
        turn = world.turn(channel)
        if turn is not None and turn.publishes:
            yield Move("publish lost", channel, failure="crash")
            if _confirms(world, channel):
                yield Move("confirm lost", channel, failure="crash")


def _confirms(world: World, channel: str) -> bool:
    found, plan = world.broker.channels.get(channel), world.setting.scenario.channels.get(channel)
    if found is not None:
        return found.confirms
    return plan is None or plan.confirms


def connection_of(world: World, channel: str) -> str:
    plan = world.setting.scenario.channels.get(channel)
    return plan.connection if plan is not None else channel


# What comes of it ----------------------------------------------------------------------------------------------------


def make(world: World, move: Move) -> Draws:
    """Change the state by one move. Returns how chance fell out in it."""
    draws = world.draws = Draws(move.draws)
    broker: Any = world.broker
    broker.draw = lambda count: draws.draw(count, "an exchange that throws dice")
    world.events.clear()
    broker.go_on()  # what goes round is seen by its states, which come again
    if move.failure:
        world.clients_return = True
        kinds = world.setting.kinds
        index = kinds.index(move.failure)
        world.spent = (*world.spent[:index], world.spent[index] + 1, *world.spent[index + 1 :])
    MOVES[move.kind].make(world, move)
    world.settle()
    for hand in world.hands:
        if hand.waiting:
            hand.draws = draws
            hand.go_on(broker.now)
    world.clients_return = False
    world.draws = None
    return draws


def _hand(world: World, name: str) -> Hand:
    found = world.hand(name)
    assert found is not None
    return found


def job_of(world: World, move: Move) -> tuple[Hand, int, ConsumerJob]:
    """The job that a move is about, with its number."""
    hand = _hand(world, move.who)
    number = [*hand.jobs][move.number]
    return hand, number, hand.jobs[number]


def _barrier(world: World, move: Move) -> None:
    stage = world.stage_now()
    assert stage is not None
    assert stage.barrier is not None
    action = stage.barrier.action
    if isinstance(action, Wait):
        world.wait_until = world.broker.now + action.ms
        if not action.ms:
            world.end_stage()
        return
    if isinstance(action, Do):
        for step in action.steps:
            hand = world.hand(step.consumer.name) if isinstance(step, Consume) else None
            if hand is not None:
                world.consume(hand)
                if not hand.consumes:
                    break
            elif world.apply(step):
                break
            if isinstance(step, Cancel):
                _ended(world, step.consumer)
    world.end_stage()


def _ended(world: World, name: str) -> None:
    hand = world.hand(name)
    if hand is not None:
        hand.consumes = False


def _turn(world: World, move: Move) -> None:
    turn = world.turn(move.who)
    assert turn is not None
    action = turn.step.action
    if isinstance(action, PublishMany):
        if turn.publishes:
            world.publish(action, turn.number)
        elif action.after_ms:
            _plan(world, action, 0, world.broker.now + action.after_ms)
        else:
            world.publish(action, 0)
            _plan(world, action, 1, world.broker.now + action.every_ms)
    elif isinstance(action, Do):
        for step in action.steps:
            if world.apply(step):
                break
    world.turn_over(move.who)


def _plan(world: World, action: PublishMany, number: int, at_ms: int) -> None:
    world.later = tuple(sorted((*world.later, (at_ms, action, number)), key=lambda item: (item[0], item[1].id(item[2]))))


def _later(world: World, move: Move) -> None:
    at_ms, action, number = world.later[move.number]
    world.later = (*world.later[: move.number], *world.later[move.number + 1 :])
    world.publish(action, number)
    if number + 1 < action.times:
        _plan(world, action, number + 1, at_ms + action.every_ms)


def _finish(world: World, move: Move) -> None:
    hand, number, job = job_of(world, move)
    rule = job.rule
    if rule.do == "ack":
        _done(world, job)
    elif job.delivery.auto_ack and rule.do in ("reject", "requeue", "nack"):
        world.facts.gone[job.delivery.copy.message.removesuffix(AGAIN)] = (
            f"the work of {move.who} has failed, and it was acknowledged when it was sent"
        )
    for step in hand.finish(job):
        world.apply(step)
    hand.due.pop(number, None)
    if rule.do == "crash" and rule.restart is not None:
        world.settle()
        hand.back_at = world.broker.now + rule.restart


def _done(world: World, job: ConsumerJob) -> None:
    """The work of a message has come to its good end."""
    copy, name = job.delivery.copy, job.delivery.queue.name
    queue = world.broker.queues.get(name)
    world.facts.work_done(copy.message, name)
    if world.facts.asks_for_order and queue is not None:
        held = [
            item.copy for channel in world.broker.channels.values() for item in channel.unacked.values() if item.queue is queue
        ]
        world.facts.overtakes(copy, name, [*queue.ready(), *held])


def _return(world: World, move: Move) -> None:
    world.consume(_hand(world, move.who))


def _time(world: World, move: Move) -> None:
    world.pass_time(world.broker.now + move.number)


def _crash(world: World, move: Move) -> None:
    world.apply(Crash(move.who))


def _crash_after(world: World, move: Move) -> None:
    hand, _, job = job_of(world, move)
    for step in hand.work_of(job):
        world.apply(step)
    if job.rule.do == "ack":
        _done(world, job)
    world.apply(Crash(hand.connection))


def _publish_lost(world: World, move: Move) -> None:
    """Its publisher knows when it waits for confirms, and then it can send it again."""
    world.apply(Crash(connection_of(world, move.who)))
    _unconfirmed(world, move, arrived=False)


def _confirm_lost(world: World, move: Move) -> None:
    turn = world.turn(move.who)
    assert turn is not None
    assert isinstance(turn.step.action, PublishMany)
    world.publish(turn.step.action, turn.number)
    world.events[:] = [event for event in world.events if type(event) is not events.Confirmed]  # it never arrives
    world.apply(Crash(connection_of(world, move.who)))
    _unconfirmed(world, move, arrived=True)


def _unconfirmed(world: World, move: Move, *, arrived: bool) -> None:
    turn = world.turn(move.who)
    assert turn is not None
    action = turn.step.action
    assert isinstance(action, PublishMany)
    id = action.id(turn.number)
    plan = world.setting.scenario.channels.get(move.who)
    if plan is not None and not plan.confirms:
        world.facts.gone[id] = "it was published on a connection that was lost, without confirms"
    elif world.setting.retry:
        world.publish(action, turn.number, AGAIN if arrived else "")
    else:
        world.facts.unknown |= {id}
    world.turn_over(move.who)


def _restart(world: World, move: Move) -> None:
    world.apply(Restart(move.kind == "restart"))


def _cancel(world: World, move: Move) -> None:
    world.apply(Cancel(_hand(world, move.who).consumer.channel, move.who))
    _ended(world, move.who)


def _close_channel(world: World, move: Move) -> None:
    world.apply(CloseChannel(_hand(world, move.who).consumer.channel))


def _expire(world: World, move: Move) -> None:
    world.apply(Expire(move.who))


def publisher(channel: str) -> str:
    """Who publishes on a channel, in words."""
    return "the publisher" if channel.startswith("(") else channel


# In words ------------------------------------------------------------------------------------------------------------


def _says_turn(world: World, move: Move) -> str:
    turn = world.turn(move.who)
    assert turn is not None
    action = turn.step.action
    if isinstance(action, PublishMany) and turn.publishes:
        where = f"to {action.message.exchange}" if action.message.exchange else f"to queue {action.message.routing_key}"
        return f"{publisher(move.who)} publishes {action.id(turn.number)} {where}"
    return turn.step.text


def _says_barrier(world: World, move: Move) -> str:
    stage = world.stage_now()
    return stage.barrier.text if stage is not None and stage.barrier is not None else ""


def _says_later(world: World, move: Move) -> str:
    _, action, number = world.later[move.number]
    return f"{publisher(action.channel)} publishes {action.id(number)}"


ENDS = {
    "ack": "has done the work of {} and acknowledges it", "reject": "rejects {} for good", "nack": "gives {} back",
    "requeue": "gives {} back", "hold": "keeps {} without an answer", "crash": "crashes at {}",
}  # fmt: skip


def _says_finish(world: World, move: Move) -> str:
    _, _, job = job_of(world, move)
    message = job.delivery.copy.message
    if job.delivery.auto_ack and job.rule.do != "crash":
        return f"{move.who} has done the work of {message}"
    return f"{move.who} {ENDS.get(job.rule.do, job.rule.do + ' {}').format(message)}"


def at_work(world: World, connection: str) -> list[str]:
    """The messages that the clients of a connection are at or hold."""
    found: list[str] = []
    for hand in world.hands:
        if hand.connection == connection:
            found += [job.delivery.copy.message for job in hand.jobs.values()]
            found += [delivery.copy.message for delivery, *_ in hand.waiting]
    return found


def _says_crash(world: World, move: Move) -> str:
    messages = at_work(world, move.who)
    when = f" before its work at {', '.join(messages)} is done" if messages else " while it has nothing to do"
    names = ", ".join(hand.consumer.name for hand in world.hands if hand.connection == move.who and hand.consumes)
    return f"the connection of {names or move.who} is lost{when}"


def _says_crash_after(world: World, move: Move) -> str:
    _, _, job = job_of(world, move)
    return f"the connection of {move.who} is lost after its work at {job.delivery.copy.message} and before the ack"


def _says_publisher(text: str) -> Callable[[World, Move], str]:
    def says(world: World, move: Move) -> str:
        turn = world.turn(move.who)
        assert turn is not None
        assert isinstance(turn.step.action, PublishMany)
        again = "; it publishes again" if world.setting.retry and _confirms(world, move.who) else ""
        return text.format(who=publisher(move.who), message=turn.step.action.id(turn.number)) + again

    return says


class MoveKind(NamedTuple):
    """`make` changes the state, `says` is what happens in words, asked for before."""

    make: Callable[[World, Move], None]
    says: Callable[[World, Move], str]


MOVES: dict[str, MoveKind] = {
    "barrier": MoveKind(_barrier, _says_barrier),
    "turn": MoveKind(_turn, _says_turn),
    "later": MoveKind(_later, _says_later),
    "finish": MoveKind(_finish, _says_finish),
    "return": MoveKind(_return, lambda world, move: f"{move.who} connects and consumes again"),
    "time": MoveKind(_time, lambda world, move: f"{duration_text(move.number)} pass"),
    "crash": MoveKind(_crash, _says_crash),
    "crash after work": MoveKind(_crash_after, _says_crash_after),
    "publish lost": MoveKind(
        _publish_lost, _says_publisher("the connection of {who} is lost before {message} reaches the broker")
    ),
    "confirm lost": MoveKind(
        _confirm_lost, _says_publisher("{who} publishes {message}, and its connection is lost before the confirm")
    ),
    "restart": MoveKind(_restart, lambda world, move: "the broker restarts in good order"),
    "kill": MoveKind(_restart, lambda world, move: "the broker is killed and starts again"),
    "cancel": MoveKind(_cancel, lambda world, move: f"the broker cancels {move.who}"),
    "close_channel": MoveKind(_close_channel, lambda world, move: f"the channel of {move.who} is closed"),
    "expire": MoveKind(_expire, lambda world, move: f"all that waits in {move.who} expires"),
}


def said(world: World, move: Move) -> str:
    """The move in words, in the state before it."""
    return MOVES[move.kind].says(world, move)
