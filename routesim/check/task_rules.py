"""Tasks as the scenario declares them, and the workers that run them."""

from collections.abc import Iterator
from typing import Any

from routesim.broker import RabbitBroker
from routesim.check.finding import Draft, OfTask, Problem
from routesim.check.topology_rules import CheckedTopology
from routesim.check.witness import draft, lasting, slice_of
from routesim.durations import duration_text
from routesim.model import Task
from routesim.queues import QueueType
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
