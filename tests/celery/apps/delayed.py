"""A quorum queue: countdowns wait in the broker."""

from celery import Celery
from kombu import Exchange, Queue

app = Celery("delayed")
app.conf.task_default_queue = "orders"
app.conf.task_queues = [
    Queue("orders", Exchange("orders", type="topic"), routing_key="orders", queue_arguments={"x-queue-type": "quorum"})
]


@app.task(name="order")
def order():
    pass
