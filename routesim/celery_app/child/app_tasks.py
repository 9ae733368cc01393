"""The options of an app's tasks, and its schedule."""

from __future__ import annotations

import importlib
from collections.abc import Container, Mapping
from datetime import timedelta
from typing import Any

from routesim.celery_app.child.plain_values import differs, plain

TASK_OPTIONS = ("queue", "exchange", "routing_key", "expires", "delivery_mode", "max_retries", "default_retry_delay")
PLAIN_TASK = {"max_retries": 3, "default_retry_delay": 180}
LIMITS = {"time_limit": "task_time_limit", "soft_time_limit": "task_soft_time_limit"}  # before 5.1 not in from_config
RETRYING = {"retry_backoff": False, "retry_backoff_max": 600, "retry_jitter": True}


def task_of(task: Any, app: Any, defaults: Container[str]) -> dict[str, Any]:
    """The options that the task has of its own."""
    options = {}
    for key in TASK_OPTIONS:
        options[key] = getattr(task, key, None), PLAIN_TASK.get(key)
    both = app.conf.task_acks_on_failure_or_timeout
    for key, setting in {**LIMITS, **dict(task.from_config)}.items():
        common = app.conf[setting] if setting in defaults else None
        if key in ("acks_on_failure", "acks_on_timeout") and common is None:
            common = both
        options[key] = getattr(task, key, None), common
    found = {key: plain(value) for key, (value, default) in options.items() if differs(value, default)}
    if getattr(task, "autoretry_for", ()):
        found["autoretry"] = True
        retry = dict(getattr(task, "retry_kwargs", None) or {})
        found.update({key: plain(retry[key]) for key in ("max_retries", "countdown") if key in retry})
        for key, default in RETRYING.items():
            value = getattr(task, key, default)
            if differs(value, default):
                found[key] = plain(value)
    return found


def entry_of(entry: Any) -> dict[str, Any]:
    entry = entry if isinstance(entry, Mapping) else vars(entry)
    options, schedule = entry.get("options") or {}, entry.get("schedule")
    return {
        "task": plain(entry.get("task")),
        "options": plain(dict(options)),
        "arguments": [key for key in ("args", "kwargs") if entry.get(key)],
        "relative": bool(getattr(schedule, "relative", entry.get("relative"))),
        **schedule_of(schedule),
    }


def schedule_of(schedule: Any) -> dict[str, Any]:
    if isinstance(schedule, bool):
        return {"other": "bool"}
    if isinstance(schedule, (int, float)):
        return {"every": float(schedule)}
    if isinstance(schedule, timedelta):
        return {"every": schedule.total_seconds()}
    schedules = importlib.import_module("celery.schedules")
    if isinstance(schedule, schedules.crontab):
        return {"crontab": crontab_of(schedule)}
    if type(schedule) is schedules.schedule:
        return {"every": schedule.run_every.total_seconds()}
    return {"other": type(schedule).__name__}


def crontab_of(schedule: Any) -> str:
    """Minute, hour, day of the month, month, day of the week: numbers and stars alone, as every crontab has them."""
    fields = (
        (schedule.minute, range(60)), (schedule.hour, range(24)), (schedule.day_of_month, range(1, 32)),
        (schedule.month_of_year, range(1, 13)), (schedule.day_of_week, range(7)),
    )  # fmt: skip
    return " ".join(field_of(sorted(values), list(every)) for values, every in fields)


def field_of(values: list[int], every: list[int]) -> str:
    if values == every:
        return "*"
    if len(values) == 1:
        return str(values[0])
    step = values[1] - values[0]
    if step > 1 and values == every[::step]:
        return f"*/{step}"
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))
