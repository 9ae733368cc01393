"""The application of a drawn program: its settings, tasks and what their bodies do come as JSON in PROGRAM."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.app.task import Task
from celery.exceptions import Ignore, Reject

PROGRAM: dict[str, Any] = json.loads(Path(os.environ["PROGRAM"]).read_text(encoding="utf-8"))
PIDS = Path(os.environ["PROGRAM"]).with_name("pids")

app = Celery("program_app", broker=os.environ["PROGRAM_BROKER"])
app.conf.update(PROGRAM["settings"])
if os.environ["PROGRAM_BROKER"].startswith("redis"):
    app.conf.result_backend = os.environ["PROGRAM_BROKER"]  # which counts for chords


def carry_out(task: Task, rules: list[dict[str, Any]]) -> None:
    """As the first rule that fits says; who kills children finds the process by the file that bears its number."""
    request = task.request
    facts = {"retries": request.retries, "redelivered": bool((request.delivery_info or {}).get("redelivered"))}
    rule = next(rule for rule in rules if all(rule.get(name, value) == value for name, value in facts.items()))
    running = PIDS / str(os.getpid())
    running.touch()
    try:
        time.sleep(rule["takes"])
    finally:
        running.unlink(missing_ok=True)
    ends = rule["ends"]
    if ends == "exception":
        raise ValueError("as drawn")
    if ends == "retry":
        raise task.retry(countdown=rule["countdown"])
    if ends == "ignore":
        raise Ignore
    if ends in ("reject", "requeue"):
        raise Reject("as drawn", requeue=ends == "requeue")
    if ends == "kill_child":
        os.kill(os.getpid(), signal.SIGKILL)


def _made(name: str, options: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    @app.task(name=name, bind=True, **options)
    def body(self: Task) -> None:
        carry_out(self, rules)


for _name, _task in PROGRAM["tasks"].items():
    _made(_name, _task["options"], _task["rules"])
