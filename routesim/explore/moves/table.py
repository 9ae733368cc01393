"""What may happen next in a state, and what comes of it: one table of moves, failures among them."""

from typing import Any

from routesim import events
from routesim.explore.draws import DICE, Draws
from routesim.explore.hands import HUNG
from routesim.explore.moves.acting import ACTS
from routesim.explore.moves.mishaps import FAILS, failures_in
from routesim.explore.moves.move import Move, MoveKind
from routesim.explore.world import World

MOVES: dict[str, MoveKind] = {**ACTS, **FAILS}


def moves(world: World) -> tuple[list[Move], list[Move]]:
    """What happens by itself, and which failures may happen, each in a fixed order. The first is empty where all is over."""
    return _own(world), [*failures_in(world)]


def _own(world: World) -> list[Move]:
    setting, now = world.setting, world.now
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
            Move("finish", hand.consumer.name, place)
            for place, job in enumerate(hand.jobs)
            if hand.due[job] <= now or (any_time and hand.due[job] < HUNG)
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
    now, broker = world.now, world.stem
    own = [at_ms for at_ms in own if now < at_ms < HUNG]
    due = broker.due()
    if not own and broker.idle() and not _waits_for_patience(world):
        return None
    found = min([*own, *([] if due is None else [due])], default=None)
    limit = world.setting.limit
    return None if found is None or (limit is not None and found > limit) else found


def _waits_for_patience(world: World) -> bool:
    """Whether somebody is at something for so long that the broker may lose patience, which no run waits for otherwise."""
    if any(hand.hangs for hand in world.hands):
        return True
    if not world.setting.any_time or not any(hand.jobs and not hand.consumer.auto_ack for hand in world.hands):
        return False
    broker = world.broker
    written = broker.broker_settings.consumer_timeout is not None
    return written or any(queue.settings.consumer_timeout is not None for queue in broker.queues.values())


def make(world: World, move: Move) -> Draws:
    """Change the state by one move. Returns how chance fell out in it."""
    world.wake()
    draws = world.draws = Draws(move.draws)
    broker: Any = world.broker
    broker.draw = lambda count: draws.draw(count, DICE)
    broker.most_deaths = world.setting.most_deaths
    broker.races = draws if world.setting.races else None
    world.events.clear()
    if world.facts.remembered is not None:
        world.facts.remembered.begin()
    broker.go_on()  # what goes round is seen by its states, which come again
    if move.failure:
        world.clients_return = True
        world.spend(move.failure)
    MOVES[move.kind].make(world, move)
    world.settle()
    for hand in world.hands:
        if hand.waiting:
            hand.draws = draws
            hand.go_on(broker.now)
    world.clients_return = False
    world.draws = None
    world.rest()
    return draws


def outcome(world: World, draws: Draws) -> str:
    """How chance fell out in the move that has been made, and what RabbitMQ leaves open otherwise than usual, to be said after
    it; "": nothing."""
    told = []
    for drawn, _, about in draws.made:
        if about == DICE:
            queues = [event.queue for event in world.events if type(event) is events.Enqueued]
            told.append(f"by chance it comes to {', '.join(queues) or 'no queue'}")
        elif ": chance " in about:
            told.append(f"{about} {'does not come' if drawn else 'comes'} true")
    told += [f"{text}: RabbitMQ leaves it open" for text in draws.told]
    return f" ({'; '.join(dict.fromkeys(told))})" if told else ""


def said(world: World, move: Move) -> str:
    """The move in words, in the state before it."""
    return MOVES[move.kind].says(world, move)
