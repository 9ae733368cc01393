"""How a recording ended, as a scenario expects it."""

from collections import Counter
from typing import Any

from routesim import steps
from routesim.broker import counts
from routesim.recording.drafts import RecordingDraft
from routesim.recording.trials import Trial
from routesim.run.expecting.expectations import ANSWERS
from routesim.run.folds.fold import Fold
from routesim.run.folds.records import Deliveries, Fates, Publishers

MOST_IDS = 20  # a longer list is a count
MOST_MESSAGES = 50  # of which each is told what became of it


def expected(draft: RecordingDraft, trial: Trial) -> dict[str, Any]:
    """The section `expect`."""
    consumers = trial.result.scenario.consumers
    deliveries, fates, publishers = Deliveries(consumers), Fates(), Publishers()
    for event in trial.events:
        for fold in (deliveries, fates, publishers):
            Fold.hear(fold, event)
    found: dict[str, Any] = {
        "queues": _queues(draft, trial),
        "consumers": {name: _consumer(deliveries.of.get(name, [])) for name in consumers},
        "messages": _messages(draft, fates),
    }
    for kind in ("returned", "nacked", "unroutable"):
        found[kind] = _ids(getattr(publishers, kind))
    return {name: value for name, value in found.items() if value} | {"lost": counts(trial.result.broker)["lost"]}


def _queues(draft: RecordingDraft, trial: Trial) -> dict[str, Any]:
    found: dict[str, Any] = {}
    broker = trial.result.broker
    for name in _lasting(draft):
        if name not in broker.queues:
            found[name] = {"exists": False}
            continue
        ready, held = trial.left[name]
        found[name] = {"ready": _ids(list(ready)), **({"unacked": _ids([item[0] for item in held])} if held else {})}
    return found


def _lasting(draft: RecordingDraft) -> list[str]:
    """The queues that do not go with a connection."""
    made = [
        *(item.step for item in draft.given.declarations), *(item.step for item in draft.taken if item.refused is None)
    ]  # fmt: skip
    declared = [step.queue for step in made if isinstance(step, steps.DeclareQueue)]
    return list(dict.fromkeys(queue.name for queue in declared if not (queue.exclusive or queue.server_named) and queue.name))


def _ids(ids: list[str]) -> Any:
    return list(ids) if 0 < len(ids) <= MOST_IDS else len(ids)


def _consumer(deliveries: list[dict[str, Any]]) -> dict[str, int]:
    answers = Counter(item["answer"] for item in deliveries)
    again = sum(item["redelivered"] for item in deliveries)
    told = {"redelivered": again, **{field: answers[answer] for field, answer in ANSWERS.items()}}
    return {"delivered": len(deliveries), **{field: number for field, number in told.items() if number}}


def _messages(draft: RecordingDraft, fates: Fates) -> dict[str, dict[str, str]]:
    if sum(isinstance(item.step, steps.Publish) for item in draft.taken) > MOST_MESSAGES:
        return {}
    return {message: {queue: state for queue, (_, state) in reached.items()} for message, reached in fates.of.items()}
