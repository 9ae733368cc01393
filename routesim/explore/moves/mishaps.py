"""Which failures may happen in a state, what comes of each, and how it is said."""

from collections.abc import Callable, Iterator

from routesim import events
from routesim.explore.hands import AGAIN, HUNG, Hand
from routesim.explore.moves.acting import ended, hand_of, job_of, publisher, work_done
from routesim.explore.moves.move import Move, MoveKind
from routesim.explore.world import NEVER_BEGUN, World
from routesim.failure_kinds import OVERFLOWS
from routesim.model import DECLARE_CHANNEL
from routesim.scenario import PublishMany
from routesim.steps import Cancel, CloseChannel, Crash, DeleteQueue, Expire, Restart, SetPolicy

FULL = "full-"  # and the name of the queue: a policy above all others


def failures_in(world: World) -> Iterator[Move]:
    if sum(world.spent) >= world.setting.budget:
        return
    left = {kind for kind, spent, most in zip(world.setting.kinds, world.spent, world.setting.most, strict=True) if spent < most}
    if not left:
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
    if "hang" in left:
        yield from _hangs(world)
    if "die" in left:
        yield from _deaths(world)
    for kind in ("expire", "delete_queue", "full"):
        if kind in left:
            yield from (Move(kind, name, failure=kind) for name in _queues(world, kind))


def _queues(world: World, kind: str) -> Iterator[str]:
    """Which a failure of that kind may befall."""
    for name, queue in world.broker.queues.items():
        if kind == "expire":
            possible = queue.ready_count() > 0
        elif kind == "delete_queue":
            possible = queue.owner is None  # else it is nobody else's to delete
        else:
            possible = not queue.keeps_log and (False, FULL + name) not in world.broker.policies
        if possible:
            yield name


def _crashes(world: World) -> Iterator[Move]:
    seen = set()
    for hand in world.hands:
        if hand.consumes and hand.connection not in seen:
            seen.add(hand.connection)
            yield Move("crash", hand.connection, failure="crash")
        for place, (number, job) in enumerate(hand.jobs.items()):
            works = world.setting.any_time or hand.due[number] <= world.now
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


def _hangs(world: World) -> Iterator[Move]:
    """At the beginning of its work, or when that is done and nothing but the ack is missing."""
    for hand in world.hands:
        if not hand.consumes:
            continue
        for place, (number, job) in enumerate(hand.jobs.items()):
            due = hand.due[number]
            if due == HUNG or job.rule.do in ("hold", "crash"):
                continue
            yield Move("hang", hand.consumer.name, place, failure="hang")
            works = world.setting.any_time or due <= world.now
            if works and not hand.consumer.auto_ack and (job.rule.do == "ack" or job.rule.publish):
                yield Move("hang after work", hand.consumer.name, place, failure="hang")


def _deaths(world: World) -> Iterator[Move]:
    """Of everybody who has something to do still."""
    alive = dict.fromkeys(hand.connection for hand in world.hands if hand.consumes or hand.back_at is not None)
    stages = world.setting.stages[world.stage :]
    for index, stage in enumerate(stages):
        for channel, turns in stage.turns.items():
            if index or world.places[channel] < len(turns):
                alive[world.connection_of(channel)] = None
    alive |= dict.fromkeys(world.connection_of(action.channel) for _, action, _ in world.later)
    yield from (Move("die", name, failure="die") for name in alive if name not in world.dead)


def _confirms(world: World, channel: str) -> bool:
    found, plan = world.broker.channels.get(channel), world.setting.scenario.channels.get(channel)
    if found is not None:
        return found.confirms
    return plan is None or plan.confirms


def _crash(world: World, move: Move) -> None:
    world.apply(Crash(move.who))


def _without_answer(world: World, move: Move) -> tuple[Hand, int]:
    """Its work is done, and is not answered yet. Returns who did it, and the number of its job."""
    hand, number, job = job_of(world, move)
    for step in hand.work_of(job):
        world.apply(step)
    if job.rule.do == "ack":
        work_done(world, job)
    return hand, number


def _crash_after(world: World, move: Move) -> None:
    hand, _ = _without_answer(world, move)
    world.apply(Crash(hand.connection))


def _hang(world: World, move: Move) -> None:
    hand, number, job = job_of(world, move)
    hand.due[number] = HUNG
    if not hand.consumer.auto_ack:
        return
    world.facts.gone[job.delivery.copy.message.removesuffix(AGAIN)] = (
        f"{move.who} never comes to an end with it, and it was acknowledged when it was sent"
    )
    if hand.hangs_for_good:
        for delivery, *_ in hand.waiting:
            world.facts.gone[delivery.copy.message.removesuffix(AGAIN)] = NEVER_BEGUN.format(move.who)


def _hang_after(world: World, move: Move) -> None:
    hand, number = _without_answer(world, move)
    hand.due[number] = HUNG


def _die(world: World, move: Move) -> None:
    world.dead |= {move.who}
    world.later = tuple(item for item in world.later if world.connection_of(item[1].channel) not in world.dead)
    world.apply(Crash(move.who))
    for hand in world.hands:
        if hand.connection == move.who:
            hand.back_at = None
    world.skip_the_dead()


def _publish_lost(world: World, move: Move) -> None:
    """Its publisher knows when it waits for confirms, and then it can send it again."""
    world.apply(Crash(world.connection_of(move.who)))
    _unconfirmed(world, move, arrived=False)


def _confirm_lost(world: World, move: Move) -> None:
    turn = world.turn(move.who)
    assert turn is not None
    assert isinstance(turn.step.action, PublishMany)
    world.publish(turn.step.action, turn.number)
    world.events[:] = [event for event in world.events if type(event) is not events.Confirmed]  # it never arrives
    world.apply(Crash(world.connection_of(move.who)))
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
    world.apply(Cancel(hand_of(world, move.who).consumer.channel, move.who))
    ended(world, move.who)


def _close_channel(world: World, move: Move) -> None:
    world.apply(CloseChannel(hand_of(world, move.who).consumer.channel))


def _expire(world: World, move: Move) -> None:
    world.apply(Expire(move.who))


def _delete_queue(world: World, move: Move) -> None:
    world.apply(DeleteQueue(DECLARE_CHANNEL, move.who))


def _full(world: World, move: Move) -> None:
    """And it stays so: nothing is taken out by hand."""
    broker = world.broker
    world.apply(SetPolicy(broker.policy_if_full(broker.queues[move.who], FULL + move.who, OVERFLOWS[0])))


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


def _says_die(world: World, move: Move) -> str:
    names = [hand.consumer.name for hand in world.hands if hand.connection == move.who]
    stage = world.stage_now()
    if not names or (stage is not None and any(world.connection_of(channel) == move.who for channel in stage.turns)):
        names.append(publisher(move.who))
    messages = at_work(world, move.who)
    when = f" before its work at {', '.join(messages)} is done" if messages else ""
    turns = () if stage is None else [world.turn(name) for name in world.places if world.connection_of(name) == move.who]
    following = next((turn for turn in turns if turn is not None), None)
    if following is not None and isinstance(following.step.action, PublishMany):
        when += f" before it publishes {following.step.action.id(following.number)}"
    return f"the process of {' and '.join(dict.fromkeys(names))} dies for good{when}"


def _says_hang(text: str) -> Callable[[World, Move], str]:
    def says(world: World, move: Move) -> str:
        _, _, job = job_of(world, move)
        return text.format(who=move.who, message=job.delivery.copy.message)

    return says


def _says_publisher(text: str) -> Callable[[World, Move], str]:
    def says(world: World, move: Move) -> str:
        turn = world.turn(move.who)
        assert turn is not None
        assert isinstance(turn.step.action, PublishMany)
        again = "; it publishes again" if world.setting.retry and _confirms(world, move.who) else ""
        return text.format(who=publisher(move.who), message=turn.step.action.id(turn.number)) + again

    return says


FAILS: dict[str, MoveKind] = {
    "crash": MoveKind(_crash, _says_crash),
    "crash after work": MoveKind(_crash_after, _says_crash_after),
    "hang": MoveKind(_hang, _says_hang("{who} hangs in its work at {message}")),
    "hang after work": MoveKind(_hang_after, _says_hang("{who} hangs after its work at {message} and before the ack")),
    "die": MoveKind(_die, _says_die),
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
    "delete_queue": MoveKind(_delete_queue, lambda world, move: f"the queue {move.who} is deleted"),
    "full": MoveKind(_full, lambda world, move: f"{move.who} is full: from now on it refuses a message more than it has"),
    "expire": MoveKind(_expire, lambda world, move: f"all that waits in {move.who} expires"),
}
