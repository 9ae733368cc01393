"""A task that every worker runs."""

from celery import Celery
from kombu import Queue
from kombu.common import Broadcast

app = Celery("broadcasts")
app.conf.update(
    task_default_queue="default",
    task_queues=[Queue("default", routing_key="default"), Broadcast("caches")],
    task_routes={"forget": {"queue": "caches"}},
)


@app.task(name="forget")
def forget():
    pass
