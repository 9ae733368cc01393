"""A FastStream app with much of what it can declare. Started by itself: on the broker that SHOP_BROKER names."""

import asyncio
import os

from faststream import FastStream
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue, RabbitRouter
from faststream.rabbit.schemas.queue import QueueType

URL = os.environ.get("SHOP_BROKER", "amqp://shop:swordfish@rabbit.example:5672/shop")
broker = RabbitBroker(URL, default_channel=Channel(prefetch_count=10))
router = RabbitRouter(prefix="eu.")
everything = RabbitExchange("everything", type=ExchangeType.FANOUT, durable=False, auto_delete=True)
orders = RabbitExchange(
    "orders", type=ExchangeType.TOPIC, bind_to=everything, routing_key="ignored", arguments={"alternate-exchange": "amq.fanout"}
)
match = RabbitExchange("match", type=ExchangeType.HEADERS)


@broker.subscriber(RabbitQueue("invoices", QueueType.QUORUM, routing_key="order.paid", arguments={"x-delivery-limit": 3}), orders)
async def invoice(order: str) -> None: ...


@broker.subscriber(RabbitQueue("by-header", bind_arguments={"x-match": "all", "size": 42, "red": True}), match)
async def by_header(order: str) -> None: ...


@broker.subscriber("alone")
async def alone(order: str) -> None: ...


@router.subscriber(RabbitQueue("mails", auto_delete=True, arguments={"x-message-ttl": 60_000}), orders)
async def mails(order: str) -> None: ...


@broker.publisher(exchange=RabbitExchange("results"), routing_key="done")
@broker.subscriber(
    RabbitQueue("log", QueueType.STREAM, arguments={"x-max-age": "1D"}),
    RabbitExchange("amq.topic", type=ExchangeType.TOPIC, declare=False),
)
async def log(order: str) -> str:
    return order


broker.include_router(router)
app = FastStream(broker)


async def declare() -> None:
    await broker.start()
    await broker.stop()


if __name__ == "__main__":
    asyncio.run(declare())
