"""Queues of a program that uses kombu: `routesim import kombu kombu_app --chdir scenarios/imports`."""

from kombu import Exchange, Queue

ORDERS = Exchange("orders", type="topic")
DEAD = Exchange("orders.dead", type="fanout")
QUEUES = [
    Queue(
        "invoices", ORDERS, routing_key="order.paid", max_length=10_000, queue_arguments={"x-dead-letter-exchange": "orders.dead"}
    ),
    Queue("invoices.dead", DEAD),
]
