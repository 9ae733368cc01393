"""A server in a thread of its own, for whoever is no asyncio program."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from routesim.serve.server import Server
from routesim.serve.transport import Transport

Result = TypeVar("Result")
LONGEST_S, PATIENCE_S = 30.0, 0.2


class Beside(Protocol):
    """What goes with the server in its thread."""

    async def close(self) -> None: ...


class ServerThread:
    """Listens on loopback at a port that the system chooses, until it is closed. `server` is to be touched by `do` alone."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self.transport: Transport
        self.beside: Beside | None = None
        self.beside_url = ""
        started: Future[None] = Future()
        self.thread = threading.Thread(target=self._run, args=(started,), name="routesim", daemon=True)
        self.thread.start()
        started.result(LONGEST_S)

    def _run(self, started: "Future[None]") -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._listen())
        except OSError as problem:
            started.set_exception(problem)
            return
        started.set_result(None)
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def _listen(self) -> None:
        self.transport = Transport(self.server)
        self.port = await self.transport.listen("127.0.0.1", 0)

    def do(self, act: Callable[[], Result]) -> Result:
        """Have the server do something, between what clients ask of it; what follows from it has gone out then."""
        done: Future[Result] = Future()

        def carry_out() -> None:
            try:
                self.server.advance()
                result = act()
                self.transport.turn()
            except BaseException as problem:
                done.set_exception(problem)
            else:
                done.set_result(result)

        self.loop.call_soon_threadsafe(carry_out)
        return done.result(LONGEST_S)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """In the server's thread, while it goes on."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONGEST_S)

    def close(self) -> None:
        """The clients are told, and the thread ends."""
        if not self.thread.is_alive():
            return
        if self.beside is not None:
            self.run(self.beside.close())
        self.run(self.transport.close("the server ends", PATIENCE_S))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LONGEST_S)
