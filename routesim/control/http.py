"""HTTP/1.1 on asyncio: h11 reads and writes it, `answer` says what is answered."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import h11

from routesim.control.http_messages import HttpError, HttpRequest, Response, Unending, request_of, response_of
from routesim.serve.transport import Reserved

Answer = Callable[[HttpRequest], Response]
ROOM = 64 << 10
MOST_HEAD, MOST_BODY = 32 << 10, 16 << 20  # octets of what a client sends
IDLE_S = 60.0
MOST_UNREAD = 4 << 20  # octets of a stream that wait for a client to read them: it is ended then


class HttpServer:
    """Listens until it is closed."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.listener: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def listen(self, reserved: Reserved) -> None:
        self.listener = await asyncio.start_server(self._client, sock=reserved.bound, limit=ROOM)

    async def close(self) -> None:
        if self.listener is not None:
            self.listener.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await _Client(self.answer, reader, writer).serve()
        except (OSError, TimeoutError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()  # whoever does not read is not waited for
        finally:
            self.tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


class _Client:
    def __init__(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answer = answer
        self.reader = reader
        self.writer = writer
        self.protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self.bodiless = False  # the request is a HEAD

    async def serve(self) -> None:
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as problem:
                if self.protocol.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._send(response_of(HttpError(problem.error_status_hint, str(problem))), closes=True)
                return
            except HttpError as problem:
                await self._send(response_of(problem), closes=True)
                return
            if request is None:
                return
            response = self.answer(request)
            if isinstance(response.content, Unending):
                await self._stream(response)
                return
            await self._send(response)
            if self.protocol.our_state is h11.MUST_CLOSE:
                return
            self.protocol.start_next_cycle()

    async def _event(self) -> Any:
        while True:
            event = self.protocol.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.protocol.they_are_waiting_for_100_continue:
                self.writer.write(self.protocol.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            data = await asyncio.wait_for(self.reader.read(ROOM), IDLE_S)
            self.protocol.receive_data(data)

    async def _request(self) -> HttpRequest | None:
        """None: there are no more."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        self.bodiless = head.method == b"HEAD"
        pieces, size = [], 0
        while isinstance(event := await self._event(), h11.Data):
            size += len(event.data)
            if size > MOST_BODY:
                raise HttpError(413, f"the body is larger than {MOST_BODY} octets")
            pieces.append(bytes(event.data))
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
        return request_of(head.method.decode("ascii"), head.target.decode("latin-1"), headers, b"".join(pieces))

    async def _send(self, response: Response, *, closes: bool = False) -> None:
        body = response.body()
        headers = {
            "content-type": response.kind, "content-length": str(len(body)), "cache-control": "no-store",
            "x-content-type-options": "nosniff", **response.headers, **({"connection": "close"} if closes else {}),
        }  # fmt: skip
        if not body:
            del headers["content-type"]
        self._say(h11.Response(status_code=response.status, headers=list(headers.items())))
        if body and not self.bodiless:
            self._say(h11.Data(data=body))
        self._say(h11.EndOfMessage())
        await self.writer.drain()

    def _say(self, event: Any) -> None:
        data = self.protocol.send(event)
        if data:
            self.writer.write(data)

    async def _stream(self, response: Response) -> None:
        """Until the client goes, or does not read what it is sent."""
        headers = {"content-type": response.kind, "cache-control": "no-store", "connection": "close", **response.headers}
        self._say(h11.Response(status_code=response.status, headers=list(headers.items())))
        gone = asyncio.Event()

        def write(piece: bytes) -> None:
            if self.writer.transport.is_closing() or self.writer.transport.get_write_buffer_size() > MOST_UNREAD:
                gone.set()
            else:
                self._say(h11.Data(data=piece))

        over = response.content.begin(write)
        reading = asyncio.ensure_future(self.reader.read(ROOM))
        waiting = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over()
            reading.cancel()
            waiting.cancel()
