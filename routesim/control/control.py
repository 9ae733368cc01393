"""What answers HTTP for a server: every request is one turn of it, between what its clients ask."""

from collections.abc import Callable

from routesim.control.access import Gate, hosts_of, is_everywhere
from routesim.control.http import HttpServer
from routesim.control.http_messages import HttpError, HttpRequest, Response, fault_response, response_of
from routesim.control.hub import Hub
from routesim.control.management.api import ManagementApi
from routesim.control.own.interface import OWN
from routesim.control.page.opening import PAGE
from routesim.control.router import Router
from routesim.recording.recorder import ClientRecorder
from routesim.scenario import Scenario
from routesim.serve.server import Server
from routesim.serve.transport import Reserved

OWN_PATH = ("api", "routesim")
MANAGEMENT_PATH = ("api",)


class Control:
    """`turn` is called when a request has been carried out: what follows from it goes out then. `address`: under which it is
    asked; `token`: what a request that changes something must have. `follow`: hear all events from now on, not only once
    somebody has asked for them.
    """

    def __init__(
        self, server: Server, turn: Callable[[], None], address: tuple[str, int], token: str, *, follow: bool = True
    ) -> None:
        self.server = server
        self.turn = turn
        self.hub = Hub()
        self.gate = Gate(hosts_of(*address), token, server.users, is_everywhere(address[0]))
        self.http = HttpServer(self.answer)
        self.own = Router(OWN)
        self.page = Router(PAGE)
        self.recordings: dict[str, tuple[ClientRecorder, Scenario]] = {}
        self.management = ManagementApi(server, self.hub, self.gate)
        server.addresses["http"] = address
        if follow:
            self.follow()

    def follow(self) -> None:
        """Hear what happens in every virtual host."""
        for vhost in self.server.vhosts.values():
            self.hub.attach(vhost)

    async def listen(self, reserved: Reserved) -> None:
        """On a port that could be told before this was loaded."""
        await self.http.listen(reserved)

    async def close(self) -> None:
        await self.http.close()

    def answer(self, request: HttpRequest) -> Response:
        try:
            self.gate.check_host(request)
            self.gate.check_origin(request)
            self.server.advance()
            response = self._answer(request)
        except HttpError as problem:
            response = response_of(problem)
        except Exception as problem:
            response = fault_response(request, problem)
        self.turn()
        return response

    def _answer(self, request: HttpRequest) -> Response:
        path = request.path
        if path[:2] == OWN_PATH:
            self.gate.check_token(request)
            return self.own.answer(self, request, tuple(segment for segment in path[2:] if segment))
        if path[:1] == MANAGEMENT_PATH:
            return self.management.answer(request, path[1:])
        self.gate.check_address(request)
        return self.page.answer(self, request, tuple(segment for segment in path if segment))
