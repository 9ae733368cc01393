"""Priorities."""

from celery import Celery
from kombu import Queue

app = Celery("urgent")
app.conf.update(
    task_queue_max_priority=10,
    task_default_priority=5,
    task_default_queue="work",
    task_queues=[Queue("work", routing_key="work"), Queue("rush", routing_key="rush", max_priority=3)],
    worker_prefetch_multiplier=1,
)


@app.task(name="rush.now", priority=9)
def now():
    pass
