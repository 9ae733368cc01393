"""Mingle: a worker that connects asks the others for what they know, and goes on a second later (rules/celery#2.2-13)."""

import json
from collections.abc import Generator
from typing import Any

from routesim.clients.actions import Actions, After, StepRefusal
from routesim.clients.worker import messages, names
from routesim.clients.worker.timers import Mingled
from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Consumer, Message, Mingle, mingle_channel
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Cancel, Consume, DeclareQueue

ANSWERS_MS = 1_000
PERSISTENT = 2


def ask(state: WorkerState, mingle: Mingle, why: str) -> Generator[Any, Any, StepRefusal | None]:
    """Who is asked is who listens to commands now: of two that start together neither hears the other. Where nobody is asked
    the time alone passes: a message to nobody would only look like one that is lost. Returns what the broker refuses: up to
    Celery 5.6 that may be the queue of the answers, whoever there is to answer (rules/celery#2.4)."""
    state.mingling = why
    yield After(ANSWERS_MS, Mingled(state.life))
    is_heard = state.shared.is_heard(state.plan.name, mingle.exchange)
    if not is_heard and all(step.queue.exclusive for step in mingle.declares if isinstance(step, DeclareQueue)):
        return None
    channel = mingle_channel(state.plan.name)
    assert state.mingle_consumer is not None
    for step in (*mingle.declares, Consume(Consumer(state.mingle_consumer, mingle.queue, channel, auto_ack=True))):
        refused: StepRefusal | None = yield step
        if refused is not None:
            return refused
    state.asked = True
    if not is_heard:
        return None
    command = {
        "method": "hello", "arguments": {"from_node": state.plan.name, "revoked": list(state.revoked)}, "destination": None,
        "reply_to": {"exchange": state.plan.replies or "", "routing_key": state.plan.name},
    }  # fmt: skip
    message = Message(mingle.exchange, "", json.dumps(command), None, None, None, PERSISTENT, False, dict(messages.JSON))
    yield names.publish(state, channel, message, f"{state.plan.name}-hello")
    return None


def hear(state: WorkerState, delivery: Delivery[DeliveringQueue]) -> None:
    """An answer; its own is not among them, for it does not listen to commands yet."""
    try:
        answer = json.loads(delivery.copy.content.body)
    except ValueError:
        return
    for told in answer.values() if isinstance(answer, dict) else ():
        merge(state, told)


def merge(state: WorkerState, told: object) -> None:
    """The ids that another worker knows to be revoked."""
    ids = told.get("revoked") if isinstance(told, dict) else None
    if isinstance(ids, list):
        state.revoked.update(dict.fromkeys(map(str, ids)))


def answers_are_in(state: WorkerState) -> Actions:
    """The queue of answers goes with its consumer."""
    state.mingling = ""
    if state.asked and state.mingle_consumer is not None:
        state.asked = False
        yield Cancel(mingle_channel(state.plan.name), state.mingle_consumer)
