"""A page on this machine that is renewed in the browser whenever there is another: of `run --watch --format html`."""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future

from routesim.control.access import Gate, hosts_of
from routesim.control.http import HttpServer
from routesim.control.http_messages import HTML, HttpError, HttpRequest, Response, Unending, response_of
from routesim.serve.transport import reserved

CHANGES = ("changes",)
HOST = "127.0.0.1"


class RenewedPage:
    """`url`: where it is, with the token that it needs. Raises OSError where no port is free."""

    def __init__(self) -> None:
        self.text, self.number = "", 0
        self.hearers: set[Callable[[bytes], None]] = set()
        place = reserved(HOST, 0)
        token = secrets.token_urlsafe(24)
        self.gate = Gate(hosts_of(HOST, place.port), token, {})
        self.url = f"http://{HOST}:{place.port}/?token={token}"
        self.loop = asyncio.new_event_loop()
        started: Future[None] = Future()

        def run() -> None:
            asyncio.set_event_loop(self.loop)
            self.http = HttpServer(self.answer)
            self.loop.run_until_complete(self.http.listen(place))
            started.set_result(None)
            self.loop.run_forever()

        threading.Thread(target=run, name="routesim-page", daemon=True).start()
        started.result()

    def renew(self, text: str) -> None:
        """There is another page: whoever looks at the one before gets it."""

        def tell() -> None:
            self.text, self.number = text, self.number + 1
            for hear in tuple(self.hearers):
                hear(f"data: {self.number}\n\n".encode())

        self.loop.call_soon_threadsafe(tell)

    def answer(self, request: HttpRequest) -> Response:
        try:
            self.gate.check_host(request)
            self.gate.check_origin(request)
            self.gate.check_address(request)
            if request.method != "GET":
                raise HttpError(405, "this page is only looked at", "method_not_allowed", {"allow": "GET"})
            if request.path == CHANGES:
                return Response(Unending(self._follow), kind="text/event-stream")
            if request.path != ("",):
                raise HttpError(404, "Not Found", "Object Not Found")
            headers = {"x-frame-options": "DENY", "referrer-policy": "no-referrer"}
            return Response(self.text, kind=HTML, headers=headers)
        except HttpError as problem:
            return response_of(problem)

    def _follow(self, write: Callable[[bytes], None]) -> Callable[[], None]:
        write(f"data: {self.number}\n\n".encode())
        self.hearers.add(write)
        return lambda: self.hearers.discard(write)
