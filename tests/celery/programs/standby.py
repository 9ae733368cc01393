"""A worker that is connected and waits for a line before it declares and consumes: it starts when the program says so.

It ends with whoever holds its stdin. Its pool looks after its children all the time: Celery's hears of a child's death at
once in most cases, and within five seconds in the others.
"""

import os
import signal
import sys
import threading
from typing import Any

from celery.concurrency.asynpool import AsynPool
from celery.signals import worker_ready
from celery.worker.consumer.tasks import Tasks
from program_app import app

AsynPool.timers = property(lambda self: {self.maintain_pool: 0.05})
begin = Tasks.start
told = threading.Event()


def begin_when_told(self: Tasks, consumer: Any) -> None:
    """Everything before it, the processes of the pool among them, takes seconds on a busy machine."""
    if not told.is_set():
        os.write(1, b"ready\n")
        if not os.read(0, 1):
            os.killpg(0, signal.SIGKILL)
        told.set()
        threading.Thread(target=end_with_the_other_side, daemon=True).start()
    begin(self, consumer)


Tasks.start = begin_when_told


@worker_ready.connect
def tell(**_: Any) -> None:
    os.write(1, b"working\n")  # Celery has put its log in the place of sys.stdout


def end_with_the_other_side() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


name = sys.argv[1]
quietly = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
app.worker_main(["worker", "-n", f"{name}@test", *quietly])
