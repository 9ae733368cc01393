"""A worker that has imported everything and waits for a line before it connects: it starts when the program says so.

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
from program_app import app

AsynPool.timers = property(lambda self: {self.maintain_pool: 0.05})


@worker_ready.connect
def told(**_: Any) -> None:
    os.write(1, b"working\n")  # Celery has put its log in the place of sys.stdout


def end_with_the_other_side() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


name = sys.argv[1]
app.finalize()
os.write(1, b"ready\n")
if os.read(0, 1):
    threading.Thread(target=end_with_the_other_side, daemon=True).start()
    quietly = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    app.worker_main(["worker", "-n", f"{name}@test", *quietly])
