"""The sockets of a server: asyncio around `Server`, which knows none."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any

from routesim.amqp.frames import HEARTBEAT_FRAME
from routesim.named_tuples import NamedTuple
from routesim.serve.server import Server

HANDSHAKE_S = 10.0
ALMOST_S = 0.0005
ROOM = 256 << 10  # octets that are read at once
PATIENCE_S, LOOK_S = 2.0, 0.02  # with clients that are to go
FEW_READ, MANY_UNANSWERED = 8 << 10, 8  # octets, pieces: a client that only publishes is read in larger ones
ENOUGH_UNREAD, MOST_UNREAD = 1 << 20, 16 << 20  # octets that wait for a client to read them


class Transport:
    """Listens, and wakes the server when one of its timers is due."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loop = asyncio.get_running_loop()
        self.listener: asyncio.Server | None = None
        self.sockets: set[Socket] = set()
        self.timer: asyncio.TimerHandle | None = None
        self.timer_ms: int | None = None
        self.rest: Callable[[], None] = getattr(self.loop, "rest", lambda: None)
        self.room = memoryview(bytearray(ROOM))  # what comes is taken out of it before anything else can

    async def listen(self, host: str, port: int, context: ssl.SSLContext | None = None) -> int:
        """The port. Raises OSError."""
        self.listener = await self.loop.create_server(lambda: Socket(self), host, port, ssl=context, backlog=1024)
        found: int = self.listener.sockets[0].getsockname()[1]
        self.server.addresses["amqp" if context is None else "amqp/ssl"] = (host, found)
        return found

    def turn(self) -> None:
        """After each reaction: what was written goes out, and the next timer is set."""
        self.server.turn()
        due = self.server.due_ms()
        if due == self.timer_ms:
            return
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.timer_ms = due
        wait = None if due is None else self.server.clock.seconds_until(due)
        if wait is not None:
            self.timer = self.loop.call_later(wait + ALMOST_S, self.tick)

    def tick(self) -> None:
        self.timer, self.timer_ms = None, None
        self.server.advance()
        self.turn()

    def advance_by(self, ms: int) -> None:
        """Let time pass on a clock that waits to be told."""
        self.server.clock.advance(ms)
        self.server.advance()
        self.turn()

    async def close(self, text: str, patience_s: float = PATIENCE_S) -> None:
        """Nobody is let in any more; who is there is told, has a moment to go, and is cut off then."""
        if self.listener is not None:
            self.listener.close()
        if self.timer is not None:
            self.timer.cancel()
        self.server.force_out(text)
        end = self.loop.time() + patience_s
        while self.sockets and self.loop.time() < end:
            await asyncio.sleep(LOOK_S)
        for each in list(self.sockets):
            each.transport.abort()
        await asyncio.sleep(0)  # that they are gone is told in the next turn


class Reserved(NamedTuple):
    """A port that is bound already."""

    port: int
    bound: socket.socket


def reserved(host: str, port: int) -> Reserved:
    """A port for whoever will listen there: it can be told before that is loaded. Raises OSError."""
    bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    return Reserved(bound.getsockname()[1], bound)


class Socket(asyncio.BufferedProtocol):
    """One client's socket."""

    def __init__(self, owner: Transport) -> None:
        self.owner = owner
        self.server = owner.server
        self.transport: asyncio.Transport
        self.ending: asyncio.TimerHandle | None = None
        self.every_s = 0
        self.beating: asyncio.TimerHandle | None = None
        self.heard = self.spoke = True
        self.missed = 0
        self.full = False
        self.deaf = False  # by order
        self.unanswered = 0  # pieces in a row that asked for no answer

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.owner.sockets.add(self)
        if self.server.refuses():
            transport.abort()
        transport.set_write_buffer_limits(high=ENOUGH_UNREAD)
        host, port = transport.get_extra_info("peername")[:2]
        self.connection = self.server.connect(self, f"{host}:{port}", loopback=_is_loopback(host))
        self.end(HANDSHAKE_S)

    def pause_writing(self) -> None:
        """The client does not read: nothing is delivered to it."""
        self.full = True
        self.connection.flow(active=False)

    def resume_writing(self) -> None:
        self.full = False
        if not self.deaf:
            self.transport.resume_reading()
        self.connection.flow(active=True)
        self.owner.turn()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.owner.room

    def buffer_updated(self, nbytes: int) -> None:
        self.heard = True
        self.server.advance()
        self.connection.receive(bytes(self.owner.room[:nbytes]))
        if self.server.unsent:
            self.unanswered = 0
        else:
            self.unanswered += 1
            if self.unanswered > MANY_UNANSWERED and nbytes < FEW_READ:
                self.owner.rest()
        self.owner.turn()

    def connection_lost(self, problem: Exception | None) -> None:
        self.owner.sockets.discard(self)
        for timer in (self.ending, self.beating):
            if timer is not None:
                timer.cancel()
        self.server.advance()
        self.connection.lost()
        self.owner.turn()

    # What the connection asks for

    def send(self, data: bytes) -> None:
        self.spoke = True
        self.transport.write(data)
        if self.full and self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.transport.pause_reading()  # who asks on and on, and reads no answers, is not heard meanwhile

    def end(self, after_s: float) -> None:
        if self.ending is not None:
            self.ending.cancel()
        if after_s:
            self.ending = self.owner.loop.call_later(after_s, self.transport.abort)
        else:
            self.owner.loop.call_soon(self.transport.close)

    def listen(self, *, hears: bool) -> None:
        """A server that is told not to read is no witness of a client's silence."""
        self.deaf = not hears
        if self.deaf:
            self.transport.pause_reading()
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    def stay(self) -> None:
        """It need not end after all."""
        if self.ending is not None:
            self.ending.cancel()
            self.ending = None

    def beat(self, every_s: int) -> None:
        self.every_s = every_s
        if every_s:
            self.beating = self.owner.loop.call_later(every_s / 2, self._beat)

    def _beat(self) -> None:
        """Twice in each interval: who has been silent for two of them is gone, and who hears nothing else hears this."""
        self.missed = 0 if self.heard or self.deaf else self.missed + 1
        self.heard = False
        if self.missed >= 4:
            self.transport.abort()
            return
        if not self.spoke:
            self.transport.write(HEARTBEAT_FRAME)
        self.spoke = False
        self.beating = self.owner.loop.call_later(self.every_s / 2, self._beat)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
