"""Queues of kombu in all the places where a module keeps them. By itself: declared on the broker that SHOP_BROKER names."""

import os

from kombu import Connection, Exchange, Queue, binding

CONNECTION = Connection(os.environ.get("SHOP_BROKER", "amqp://shop:swordfish@rabbit.example:5672/shop"))
ORDERS = Exchange("orders", type="topic", arguments={"alternate-exchange": "amq.fanout"})
MATCH = Exchange("match", type="headers")
LOGS = Exchange("logs", type="fanout", durable=False, auto_delete=True)
QUEUES = {
    "invoices": Queue(
        "invoices", ORDERS, routing_key="order.paid", queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": 3}
    ),
    "many": [
        Queue("limited", ORDERS, routing_key="order.#", message_ttl=1.5, max_length=10, expires=60.0, max_priority=5),
        Queue(
            "twice",
            [binding(ORDERS, routing_key="a"), binding(MATCH, arguments={"x-match": "any", "size": 42})],
            auto_delete=True,
        ),
    ],
}
ALONE = Queue("alone", durable=True)
THERE = Queue("there", Exchange("there-too", no_declare=True), no_declare=True)

if __name__ == "__main__":
    with CONNECTION as connection, connection.channel() as channel:
        for entity in (ORDERS, MATCH, LOGS, QUEUES["invoices"], *QUEUES["many"], ALONE):
            entity(channel).declare()
