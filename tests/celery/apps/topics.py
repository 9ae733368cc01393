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
        Queue("orders", events, routing_key="order.placed.#"),
        Queue("ledger", events, routing_key="order.billed", alias="books"),
        Queue("audit", [binding(events, routing_key="*.shipped"), binding(Exchange("log", type="fanout"))]),
    ],
    task_routes={"bill": {"exchange": "events", "routing_key": "order.billed"}, "look": "audit", "keep": "books"},
)


@app.task(name="bill")
def bill():
    pass


@app.task(name="look")
def look():
    pass


@app.task(name="keep")
def keep():
    pass
