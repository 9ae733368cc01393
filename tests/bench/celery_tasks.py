"""Celery's tasks: a day of many of them on ten workers, told as a monitor tells it."""

from collections.abc import Iterator

from memory import mib, size
from processes import child, generated
from rows import Row, per_second
from scale import Scale
from workload import NOWHERE

TITLE = "Celery, ten workers"
WORKERS = 10


COMMANDS = {
    "run, ndjson trace": ("run", "--format", "ndjson", "--output", NOWHERE),
    "monitor, json": ("celery", "monitor", "--format", "json"),
}


def measure(scale: Scale) -> Iterator[Row]:
    fewer = max(1, scale.tasks // 10)
    for what, command in COMMANDS.items():
        tenth, whole = (child("command", *command, _scenario(tasks)) for tasks in (fewer, scale.tasks))
        name = f"{scale.tasks:,} tasks, {what}"
        yield Row(name, per_second(whole["seconds"] / scale.tasks), whole["seconds"] / tenth["seconds"], f"the time of {fewer:,}")
        yield mib(f"{name}: most memory", whole["bytes"], None)
        if whole["bytes"] is not None:
            yield size(f"{name}: memory a task", (whole["bytes"] - tenth["bytes"]) / max(1, scale.tasks - fewer), None)


def _scenario(tasks: int) -> str:
    workers = ", ".join(f"w{number}: {{}}" for number in range(WORKERS))
    text = f"celery:\n  apps: {{shop: {{}}}}\n  tasks: {{work: {{takes: 10ms}}}}\n  workers: {{{workers}}}\n"
    return generated(f"tasks-{tasks}.yaml", f"{text}steps:\n  - call: {{task: work, count: {tasks}, every: 1ms}}\n")
