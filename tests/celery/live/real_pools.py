"""The application of the workers in test_pools_of_a_real_worker.py; its settings are given in the environment."""

import json
import os
import time
from functools import partial
from typing import Any

from celery import Celery

app = Celery("real_pools", broker=os.environ.get("REAL_BROKER", "amqp://"))
task = partial(app.task, shared=False)  # one process of tests may import several apps
app.conf.update(task_default_queue="q", broker_connection_retry_on_startup=True, **json.loads(os.environ.get("REAL_CONF", "{}")))


def _sleep(seconds: float) -> None:
    """In short naps: what a signal or a limit raises comes through."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)


@task(name="early")
def early(seconds: float) -> None:
    _sleep(seconds)


@task(name="late", acks_late=True)
def late(seconds: float) -> None:
    _sleep(seconds)


@task(name="limited", acks_late=True, acks_on_timeout=False, time_limit=1)
def limited(seconds: Any) -> None:
    _sleep(seconds)
