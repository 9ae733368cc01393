"""What publishers, consumers and time do by themselves, and how it is said."""

from routesim.clients.scripted_consumer import ConsumerJob
from routesim.durations import duration_text
from routesim.explore.hands import AGAIN, Hand
from routesim.explore.moves.move import Move, MoveKind
from routesim.explore.world import World
from routesim.scenario import Do, PublishMany, Wait
from routesim.steps import Cancel, Consume, Step


def hand_of(world: World, name: str) -> Hand:
    found = world.hand(name)
    assert found is not None
    return found


def job_of(world: World, move: Move) -> tuple[Hand, int, ConsumerJob]:
    """The job that a move is about, with its number."""
    hand = hand_of(world, move.who)
    number = [*hand.jobs][move.number]
    return hand, number, hand.jobs[number]


def _barrier(world: World, move: Move) -> None:
    stage = world.stage_now()
    assert stage is not None
    assert stage.barrier is not None
    action = stage.barrier.action
    if isinstance(action, Wait):
        world.wait_until = world.now + action.ms
        if not action.ms:
            world.end_stage()
        return
    if isinstance(action, Do):
        for step in action.steps:
            if world.dead and world.connection_of(_channel_of(step)) in world.dead:
                continue
            hand = world.hand(step.consumer.name) if isinstance(step, Consume) else None
            if hand is not None:
                world.consume(hand)
                if not hand.consumes:
                    break
            elif world.apply(step):
                break
            if isinstance(step, Cancel):
                ended(world, step.consumer)
    world.end_stage()


def _channel_of(step: Step) -> str:
    """On which a step asks; "": on none."""
    return step.consumer.channel if isinstance(step, Consume) else str(getattr(step, "channel", ""))


def ended(world: World, name: str) -> None:
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
            _plan(world, action, 0, world.now + action.after_ms)
        else:
            world.publish(action, 0)
            _plan(world, action, 1, world.now + action.every_ms)
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
        work_done(world, job)
    elif job.delivery.auto_ack and rule.do in ("reject", "requeue", "nack"):
        world.facts.gone[job.delivery.copy.message.removesuffix(AGAIN)] = (
            f"the work of {move.who} has failed, and it was acknowledged when it was sent"
        )
    for step in hand.finish(job):
        world.apply(step)
    hand.due.pop(number, None)
    if rule.do == "crash" and rule.restart is not None:
        world.settle()
        hand.back_at = world.now + rule.restart


def work_done(world: World, job: ConsumerJob) -> None:
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
    world.consume(hand_of(world, move.who))


def _time(world: World, move: Move) -> None:
    world.pass_time(world.now + move.number)


def publisher(channel: str) -> str:
    """Who publishes on a channel, in words."""
    return "the publisher" if channel.startswith("(") else channel


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


ACTS: dict[str, MoveKind] = {
    "barrier": MoveKind(_barrier, _says_barrier),
    "turn": MoveKind(_turn, _says_turn),
    "later": MoveKind(_later, _says_later),
    "finish": MoveKind(_finish, _says_finish),
    "return": MoveKind(_return, lambda world, move: f"{move.who} connects and consumes again"),
    "time": MoveKind(_time, lambda world, move: f"{duration_text(move.number)} pass"),
}
