"""Tasks as the scenario declares them, and the workers that run them."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from routesim.broker import RabbitBroker
from routesim.broker.asking import content_of
from routesim.broker.routing import route
from routesim.celery.epoch import ms_of
from routesim.check.finding import Draft, OfTask, Problem
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.witness import draft, lasting, slice_of
from routesim.durations import duration_text
from routesim.model import Message, Task
from routesim.queues import QueueType
from routesim.scenario import Wait
from routesim.scenario.topology_data import broker_form

LATE_ONLY = {"on_failure": "reject", "on_timeout": "requeue", "on_worker_lost": "requeue"}  # without effect on early ones
LONGEST_LOOK_MS = 120_000  # RabbitMQ looks for overdue acknowledgements once a minute
RESTART_MS = 1_000


def outlives_timeout(topology: CheckedTopology) -> Iterator[Problem]:
    """A message that is acknowledged at the end of a task, when the broker has long taken it back (rules/queues#5.10).

    Only where every queue that a worker consumes has a shorter timeout, for nothing says which of them holds the task.
    """
    scenario, broker = topology.scenario, topology.broker
    if not isinstance(broker, RabbitBroker):
        return
    names = dict.fromkeys(name for worker in scenario.workers.values() for name in worker.queues)
    queues = [broker.queues[name] for name in names if name in broker.queues]
    if not queues or any(queue.keeps_log for queue in queues):
        return
    queue = max(queues, key=broker.acknowledgement_timeout)
    timeout = broker.acknowledgement_timeout(queue)
    for task in scenario.tasks.values():
        takes = _longest(task)
        if task.acks != "late" or takes <= timeout + LONGEST_LOOK_MS:
            continue
        text = (
            f"task '{task.name}' takes {duration_text(takes)} and acknowledges when it has ended; "
            f"RabbitMQ waits {duration_text(timeout)}, takes the message back, and the task runs again and is never acknowledged"
        )
        cure = "split the task, acknowledge early, or raise consumer_timeout above its time"
        yield Problem(text, OfTask(task.name), (), cure, _outlived(topology, task, takes, queue, timeout))


def countdown_outlives_timeout(topology: CheckedTopology) -> Iterator[Problem]:
    """A call with a countdown or an eta, which its worker holds unacknowledged until it is due, for longer than RabbitMQ waits
    (rules/queues#5.10), however the task acknowledges."""
    scenario, broker = topology.scenario, topology.broker
    if not isinstance(broker, RabbitBroker):
        return
    held = {name for worker in scenario.workers.values() for name in worker.queues if name in broker.queues}
    told: set[str] = set()
    elapsed = [0, *accumulate(getattr(step.action, "ms", 0) if isinstance(step.action, Wait) else 0 for step in scenario.steps)]
    for index, message in topology.publishes:
        task, due = (message.headers or {}).get("task"), _due_ms(message)
        if not isinstance(task, str) or task in told or due is None or message.exchange not in broker.exchanges:
            continue
        reached = [queue for queue, _ in route(broker, message.exchange, "m1", content_of(message)).queues if queue.name in held]
        if not reached or any(queue.keeps_log for queue in reached):
            continue
        queue = max(reached, key=broker.acknowledgement_timeout)
        timeout, waits = broker.acknowledgement_timeout(queue), due - elapsed[index]
        if waits <= timeout + LONGEST_LOOK_MS:
            continue
        told.add(task)
        text = (
            f"task '{task}' is to run in {duration_text(waits)}, and its worker holds the message until then; RabbitMQ waits "
            f"{duration_text(timeout)} for its acknowledgement, closes the channel and delivers it again"
        )
        cure = "raise consumer_timeout above the longest countdown, or keep such tasks elsewhere until they are due"
        yield Problem(text, index, (), cure)


def _due_ms(message: Message) -> int | None:
    """The virtual time of its header `eta`."""
    eta = (message.headers or {}).get("eta")
    return ms_of(eta) if isinstance(eta, str) else None


def _longest(task: Task) -> int:
    """How long a run of it may take, in ms; the hard time limit ends it."""
    longest = max([task.takes, *(run.takes for run in task.runs if run.takes is not None)])
    return longest if task.time_limit is None else min(longest, task.time_limit)


def _outlived(topology: CheckedTopology, task: Task, takes: int, queue: QueueType, timeout: int) -> Draft:
    waits = timeout + LONGEST_LOOK_MS
    wait: dict[str, Any] = {"wait": lasting(waits)}
    if topology.broker.rules.acknowledgement_timeout == "channel":
        wait["fails"] = 406
    settings = topology.scenario.settings
    broker = broker_form(settings.default_queue_type, settings.permit)
    if settings.consumer_timeout is not None:
        broker["consumer_timeout"] = settings.consumer_timeout
    more: dict[str, Any] = {"broker": broker} if broker else {}
    return draft(
        topology, f"task '{task.name}' for {duration_text(takes)}: within {duration_text(waits)} a worker gets it twice",
        slice_of(topology, [], [queue.name]),
        [{"publish": {"routing_key": queue.name, "headers": {"task": task.name, "id": "t1"}, "id": "t1"}}, wait],
        {"tasks": {"t1": {"received": ">= 2"}}},
        tasks={task.name: {"takes": lasting(takes), "acks": "late"}},
        workers={"worker": {"queues": [queue.name], "prefetch": 1, "restart": lasting(RESTART_MS)}}, until="steps",
        **more,
    )  # fmt: skip


def late_acks_needed(topology: CheckedTopology) -> Iterator[Problem]:
    """What a task says about failures and lost workers, while its message is acknowledged before it begins (rules/celery#2.1)."""
    found = [
        (task.name, [option for option, value in LATE_ONLY.items() if getattr(task, option) == value])
        for task in topology.scenario.tasks.values()
        if task.acks == "early"
    ]
    found = [(name, options) for name, options in found if options]
    if found:
        name, options = found[0]
        others = f", and {len(found) - 1} more likewise" if len(found) > 1 else ""
        said = " and ".join(f"{option}: {LATE_ONLY[option]}" for option in options)
        text = f"task '{name}' has {said}, which means nothing while it acknowledges early{others}"
        yield Problem(text, OfTask(name), (), "set acks: late (acks_late of Celery), or take it out")
