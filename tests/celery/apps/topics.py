"""Queues on a topic exchange, one of them with several bindings."""

from celery import Celery
from kombu import Exchange, Queue, binding

events = Exchange("events", type="topic")
app = Celery("topics")
app.conf.update(
    task_default_queue="orders",
    task_default_exchange="events",
    task_default_exchange_type="topic",
    task_default_routing_key="order.placed",
    task_queues=[
        Queue("orders", events, routing_key="order.#"),
        Queue("audit", [binding(events, routing_key="*.placed"), binding(Exchange("log", type="fanout"))]),
    ],
    task_routes={"bill": {"exchange": "events", "routing_key": "order.billed"}},
)


@app.task(name="bill")
def bill():
    pass
