"""A monitor's view as one object, for programs."""

from typing import IO, Any

from routesim.celery.fates import LOST
from routesim.report.answers.monitor import MonitorView
from routesim.report.formats.json import envelope
from routesim.report.style import OutputStyle
from routesim.run.folds.event_subscriber import EventSubscriber, unknown
from routesim.run.folds.monitoring import DONE, TaskView, WorkerView, ran_ms
from routesim.run.tasks.monitored import Monitored, samples


def write_json(out: IO[str], view: MonitorView, style: OutputStyle) -> None:
    out.write(envelope(monitor_object(view.seen, view.every_ms, view.heard)) + "\n")


def monitor_object(seen: Monitored, every_ms: int | None, heard: EventSubscriber | None = None) -> dict[str, Any]:
    """Everything, nothing cut. Series are lists of points: the instant in ms, then the values from then on."""
    scenario, monitor = seen.result.scenario, seen.monitor
    found: dict[str, Any] = {
        "file": scenario.file,
        "scenario": scenario.name,
        "at_ms": seen.at_ms,
        "ended": seen.result.ended,
        "queues": {name: {"points": [list(point) for point in points]} for name, points in seen.depths.items()},
        "workers": {name: _worker_object(worker) for name, worker in monitor.workers.items()},
        "tasks": [
            {
                **_task_object(task, seen.at_ms), "queue": monitor.records.facts[task.id].queue or None,
                "fate": seen.fates[task.id].name if task.id in seen.fates else None,
            }
            for task in monitor.tasks.values()
        ],
        "lost_tasks": [task for task, fate in seen.fates.items() if fate.name == LOST],
        "unconsumed": [item._asdict() for item in seen.unconsumed],
        "pending": [item._asdict() for item in seen.pending],
        "runs": [
            {"task": run.task, "worker": run.worker, "child": run.child, "began_ms": run.began_ms, "ended_ms": run.ended_ms,
             "ends": run.ends}
            for run in monitor.runs
        ],
    }  # fmt: skip
    if heard is not None:
        found["heard"] = _heard_object(heard, seen)
    if every_ms is not None:
        found["samples"] = [
            {
                "at_ms": sample.at_ms,
                "queues": {name: {"ready": ready, "unacked": unacked} for name, (ready, unacked) in sample.queues.items()},
                "workers": {
                    name: {"active": active, "reserved": reserved, "held": held}
                    for name, (active, reserved, held) in sample.workers.items()
                },
            }
            for sample in samples(seen, every_ms)
        ]
    return found


def _heard_object(heard: EventSubscriber, seen: Monitored) -> dict[str, Any]:
    """What the listener believes, beside what is so."""
    return {
        "consumer": heard.consumer, "sent": sum(heard.sent.values()), "came": heard.heard, "missed": dict(heard.missed),
        "on_their_way": len(heard.waiting),
        "workers": {
            name: {"online": heard.online(name), **{field: worker.numbers()[field] for field in ("processed", *DONE)}}
            for name, worker in heard.seen.workers.items()
        },
        "tasks": [_task_object(task, seen.at_ms) for task in heard.seen.tasks.values()],
        "unknown": [item._asdict() for item in unknown(heard.seen, seen.monitor)],
    }  # fmt: skip


def _worker_object(worker: WorkerView) -> dict[str, Any]:
    return {
        "online": worker.online, "why": worker.why, **worker.numbers(), "started": worker.counts["started"],
        "scheduled": worker.numbers()["held"], "lost": worker.counts["lost"], "pool": worker.plan.pool,
        "concurrency": worker.plan.concurrency, "queues": list(worker.plan.queues),
        "points": [list(point) for point in worker.loads],
    }  # fmt: skip


def _task_object(task: TaskView, at_ms: int) -> dict[str, Any]:
    run = task.run
    return {
        "task": task.id, "name": task.record["name"], "state": task.state, "worker": task.worker, "received_ms": task.received_ms,
        "started_ms": None if run is None else run.began_ms, "ended_ms": None if run is None else run.ended_ms,
        "ran_ms": None if run is None else ran_ms(run, at_ms), "received": task.record["received"],
        "runs": task.record["runs"], "retries": task.record["retries"], "why": task.why,
    }  # fmt: skip
