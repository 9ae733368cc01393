"""The least that a server in Python has to do to be spoken to by AMQP: one queue, one consumer, no rule of routing at all.

    python amqp_floor.py

Prints {"port": N} and serves until it is ended.
"""

import asyncio
import json
import struct
from collections import deque

from pamqp import commands, frame, header
from pamqp.body import ContentBody

PROTOCOL_HEADER = 8
HEADER = struct.Struct(">BHI")
NAME = "floor"
ABLE = {"capabilities": {"publisher_confirms": True, "basic.nack": True}}


class Client(asyncio.Protocol):
    """A connection: what has been published waits in `queue` until the one consumer has credit."""

    transport: asyncio.Transport
    queue: deque[tuple[header.ContentHeader, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer, self.greeted = transport, bytearray(), False
        self.consumer: tuple[int, str] | None = None
        self.credit, self.tag, self.published = 1 << 30, 0, 0
        self.confirming: set[int] = set()
        self.content: header.ContentHeader | None = None

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        if not self.greeted:
            if len(buffer) < PROTOCOL_HEADER:
                return
            del buffer[:PROTOCOL_HEADER]
            self.greeted = True
            self.say(0, commands.Connection.Start(server_properties=ABLE))
        begin = 0
        while len(buffer) - begin >= HEADER.size:
            size = HEADER.size + HEADER.unpack_from(buffer, begin)[2] + 1
            if len(buffer) - begin < size:
                break
            _, channel, value = frame.unmarshal(bytes(buffer[begin : begin + size]))
            begin += size
            self.take(channel, value)
        del buffer[:begin]

    def say(self, channel: int, *values: object) -> None:
        self.transport.write(b"".join(frame.marshal(value, channel) for value in values))

    def take(self, channel: int, value: object) -> None:
        if isinstance(value, header.ContentHeader):
            self.content = value
        elif isinstance(value, ContentBody):
            assert self.content is not None
            self.queue.append((self.content, value.value))
            if channel in self.confirming:
                self.published += 1
                self.say(channel, commands.Basic.Ack(self.published))
            self.deliver()
        elif isinstance(value, commands.Basic.Ack):
            self.credit += 1
            self.deliver()
        elif isinstance(value, commands.Basic.Consume):
            self.consumer = channel, value.consumer_tag
            self.say(channel, commands.Basic.ConsumeOk(value.consumer_tag))
            self.deliver()
        elif isinstance(value, commands.Basic.Cancel):
            self.consumer = None
            self.say(channel, commands.Basic.CancelOk(value.consumer_tag))
        elif isinstance(value, commands.Basic.Qos):
            self.credit = value.prefetch_count
            self.say(channel, commands.Basic.QosOk())
        elif isinstance(value, commands.Confirm.Select):
            self.confirming.add(channel)
            self.say(channel, commands.Confirm.SelectOk())
        elif isinstance(value, commands.Queue.Declare):
            self.say(channel, commands.Queue.DeclareOk(value.queue or NAME, len(self.queue), 0))
        elif isinstance(value, commands.Queue.Purge | commands.Queue.Delete):
            count = len(self.queue)
            self.queue.clear()
            purge = isinstance(value, commands.Queue.Purge)
            self.say(channel, commands.Queue.PurgeOk(count) if purge else commands.Queue.DeleteOk(count))
        elif type(value) in ANSWERS:
            self.say(channel, ANSWERS[type(value)])

    def deliver(self) -> None:
        if self.consumer is None:
            return
        channel, consumer = self.consumer
        while self.queue and self.credit:
            content, body = self.queue.popleft()
            self.credit -= 1
            self.tag += 1
            delivery = commands.Basic.Deliver(consumer, self.tag, False, "", NAME)
            self.say(channel, delivery, content, ContentBody(body))


ANSWERS: dict[type, object] = {
    commands.Connection.StartOk: commands.Connection.Tune(2047, 131072, 0),
    commands.Connection.Open: commands.Connection.OpenOk(),
    commands.Connection.Close: commands.Connection.CloseOk(),
    commands.Channel.Open: commands.Channel.OpenOk(),
    commands.Channel.Close: commands.Channel.CloseOk(),
}


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Client, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
