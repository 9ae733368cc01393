"""A transient queue whose messages nobody acknowledges."""

from celery import Celery
from kombu import Exchange, Queue

app = Celery("passing")
app.conf.task_queues = [
    Queue("celery", routing_key="celery"),
    Queue("passing", Exchange("passing", delivery_mode=1), routing_key="passing", durable=False, no_ack=True),
]
app.conf.task_routes = {"note": "passing"}


@app.task(name="note")
def note():
    pass
