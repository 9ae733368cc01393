"""A task that every worker runs."""

from celery import Celery
from kombu import Queue
from kombu.common import Broadcast

app = Celery("broadcasts")
app.conf.update(
    task_default_queue="default",
    task_queues=[Queue("default", routing_key="default"), Broadcast("caches"), Broadcast("shared", queue="one")],
    task_routes={"forget": {"queue": "caches"}, "share": "shared"},
)


@app.task(name="forget")
def forget():
    pass


@app.task(name="share")
def share():
    pass
