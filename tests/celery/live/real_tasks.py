"""The application of the real worker: the tasks of REAL_CASES in test_a_real_celery_worker.py, as a user of Celery writes them."""

import os
import signal
import time
from functools import partial
from typing import Any

from celery import Celery
from celery.exceptions import Reject
from kombu import Exchange, Queue

app = Celery("real_tasks", broker=os.environ.get("REAL_BROKER", "amqp://"))
task = partial(app.task, shared=False)  # one process of tests may import several apps
app.conf.update(
    task_default_queue="q",
    task_queues=[Queue("q", Exchange("q"), routing_key="q", queue_arguments={"x-dead-letter-exchange": "dlx"})],
    worker_prefetch_multiplier=4,
    worker_concurrency=1,
    broker_connection_retry_on_startup=True,
)
late: dict[str, Any] = {"acks_late": True}


@task(name="early")
def early() -> None:
    time.sleep(0.2)


@task(name="late", **late)
def ends_late() -> None:
    time.sleep(0.2)


@task(name="early.exception")
def early_exception() -> None:
    raise ValueError


@task(name="late.exception", **late)
def late_exception() -> None:
    raise ValueError


@task(name="late.on_failure", acks_on_failure=False, **late)
def late_on_failure() -> None:
    raise ValueError


@task(name="late.retry", autoretry_for=(ValueError,), default_retry_delay=1, max_retries=1, **late)
def late_retry() -> None:
    raise ValueError


@task(name="early.retry", autoretry_for=(ValueError,), default_retry_delay=1, max_retries=1)
def early_retry() -> None:
    raise ValueError


@task(name="late.requeue", bind=True, **late)
def late_requeue(self: Any) -> None:
    if not self.request.delivery_info["redelivered"]:
        raise Reject(requeue=True)


@task(name="late.drop", **late)
def late_drop() -> None:
    raise Reject(requeue=False)


@task(name="late.child", bind=True, reject_on_worker_lost=True, **late)
def late_child(self: Any) -> None:
    if not self.request.delivery_info["redelivered"]:
        os.kill(os.getpid(), signal.SIGKILL)
