"""A FastStream app: `routesim import faststream faststream_app:app --chdir scenarios/imports`."""

from faststream import FastStream
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue

broker = RabbitBroker("amqp://shop:not-a-real-one@rabbit:5672/")
app = FastStream(broker)

orders = RabbitExchange("orders", type=ExchangeType.TOPIC)
dead = RabbitExchange("orders.dead", type=ExchangeType.FANOUT)
invoices = RabbitQueue("invoices", routing_key="order.paid", arguments={"x-dead-letter-exchange": "orders.dead"})


@broker.subscriber(invoices, orders)
async def make_invoice(order: str) -> None: ...


@broker.subscriber("invoices.dead", dead)
async def look_at_it(order: str) -> None: ...
