"""Other clients on `routesim serve`: kombu with py-amqp, aio-pika, FastStream, amqplib under Node."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.serving import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--rabbitmq", "4.0") as server:
        yield server


def test_kombu(served: Served) -> None:
    import kombu

    with kombu.Connection(served.url) as connection:
        queue = connection.SimpleQueue("kombu")
        queue.put({"hello": "world"}, headers={"a": 1}, priority=3)
        message = queue.get(timeout=5)
        assert (message.payload, message.headers, message.properties["priority"]) == ({"hello": "world"}, {"a": 1}, 3)
        message.requeue()
        again = queue.get(timeout=5)
        assert again.delivery_info["redelivered"]
        again.ack()
        assert queue.qsize() == 0


def test_py_amqp_hears_that_its_queue_is_gone(served: Served) -> None:
    import amqp
    import amqp.exceptions

    connection = amqp.Connection(f"127.0.0.1:{served.port}", "guest", "guest")
    connection.connect()
    channel = connection.channel()
    name = channel.queue_declare("", exclusive=True).queue
    cancelled: list[str] = []
    channel.basic_consume(name, callback=lambda message: None, on_cancel=cancelled.append)
    channel.queue_delete(name)
    connection.drain_events(timeout=5)
    assert cancelled
    with pytest.raises(amqp.exceptions.NotFound):
        channel.queue_declare("none", passive=True)
    connection.close()


def test_aio_pika(served: Served) -> None:
    import aio_pika

    async def talk() -> tuple[bytes, int]:
        connection = await aio_pika.connect_robust(served.url)
        async with connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            exchange = await channel.declare_exchange("aio", aio_pika.ExchangeType.TOPIC)
            queue = await channel.declare_queue("", exclusive=True)
            await queue.bind(exchange, "order.*")
            message = aio_pika.Message(b"x", headers={"n": 1}, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await exchange.publish(message, "order.new", mandatory=True)
            with pytest.raises(aio_pika.exceptions.DeliveryError):
                await exchange.publish(message, "none", mandatory=True)
            async with queue.iterator() as messages:
                async for got in messages:
                    async with got.process():
                        return got.body, int(got.headers["n"])  # type: ignore[arg-type]
        raise AssertionError

    assert asyncio.run(talk()) == (b"x", 1)


def test_faststream(served: Served) -> None:
    rabbit = pytest.importorskip("faststream.rabbit")

    async def talk() -> Any:
        broker = rabbit.RabbitBroker(served.url, logger=None)

        @broker.subscriber("faststream-in")
        @broker.publisher("faststream-out")
        async def handle(number: int) -> int:
            return number + 1

        got: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        @broker.subscriber("faststream-out")
        async def out(number: int) -> None:
            got.set_result(number)

        async with broker:
            await broker.start()
            await broker.publish(41, "faststream-in")
            return await asyncio.wait_for(got, 10)

    assert asyncio.run(talk()) == 42


SCRIPT = """
const amqp = require('amqplib');
(async () => {
  const connection = await amqp.connect(process.argv[2]);
  const channel = await connection.createConfirmChannel();
  const {queue} = await channel.assertQueue('', {exclusive: true});
  const got = new Promise(resolve => channel.consume(queue, message => { channel.ack(message); resolve(message); }));
  await new Promise((resolve, reject) => channel.sendToQueue(queue, Buffer.from('hello'), {headers: {n: 1}}, e => e ? reject(e) : resolve()));
  const message = await got;
  console.log(message.content.toString(), message.properties.headers.n, message.fields.redelivered);
  channel.on('error', error => console.log(error.code));
  try { await channel.checkQueue('none'); } catch (error) { console.log(error.message); }
  await connection.close();
})().catch(error => { console.error(error); process.exit(1); });
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node finds amqplib."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("Node is not installed")
    folder = tmp_path_factory.mktemp("node")
    installed = subprocess.run([npm, "install", "amqplib"], cwd=folder, capture_output=True, timeout=120, check=False)
    if installed.returncode:
        pytest.skip("npm cannot install amqplib")
    return folder


def test_amqplib(served: Served, node: Path) -> None:
    (node / "talk.js").write_text(SCRIPT)
    done = subprocess.run(["node", "talk.js", served.url], cwd=node, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "hello 1 false"
    assert "404" in lines
    assert any("NOT_FOUND - no queue 'none' in vhost '/'" in line for line in lines)
