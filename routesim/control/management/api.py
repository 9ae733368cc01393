"""The management API of a server: who asks, which function answers, and what it keeps."""

from typing import Any

from routesim.control.access import Gate
from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.hub import Hub
from routesim.control.management.all_routes import routes_of
from routesim.control.management.asked import CLUSTER, FOUR, VhostTold
from routesim.control.management.stats import Stats
from routesim.control.router import Router
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost

METHODS = ("HEAD", "GET", "PUT", "POST", "DELETE", "OPTIONS")  # in the order in which RabbitMQ names them


class ManagementApi:
    """Everybody whom the server knows may ask for everything."""

    def __init__(self, server: Server, hub: Hub, gate: Gate) -> None:
        self.server = server
        self.hub = hub
        self.gate = gate
        self.router = Router(routes_of(server.rules))
        self.stats = Stats()
        self.user = ""
        self.cluster = CLUSTER
        self.told = {"/": VhostTold("Default virtual host")}
        self.permissions: dict[tuple[str, str], dict[str, str] | None] = {}
        hub.hearers.add(self.stats.hear)

    def answer(self, request: HttpRequest, path: tuple[str, ...]) -> Response:
        """`path`: without the first segment. Raises `HttpError`."""
        self.user = self._user(request)
        while path and not path[-1]:
            path = path[:-1]
        try:
            if request.method == "OPTIONS":
                return Response(None, headers=_allowed(self.router.methods(path)))
            return self.router.answer(self, request, path)
        except HttpError as problem:
            if problem.status == 405:
                return Response(None, 405, headers=_allowed(self.router.methods(path)))
            raise

    def _user(self, request: HttpRequest) -> str:
        try:
            return self.gate.check_user(request)
        except HttpError as problem:
            if "authorization" not in request.headers:
                reason: Any = None
            else:
                reason = "Not_Authorized" if self.at_least(FOUR) else problem.reason
            raise HttpError(problem.status, reason, problem.error, problem.headers) from None

    def at_least(self, version: str) -> bool:
        return self.server.rules.is_at_least(version)

    def welcome(self, vhost: Vhost) -> None:
        """Only who makes it may use it, as RabbitMQ tells it."""
        if self.hub.attached:
            self.hub.attach(vhost)
        for name in self.server.users:
            if name != self.user:
                self.permissions[name, vhost.name] = None

    def forget(self, vhost: str) -> None:
        self.told.pop(vhost, None)
        self.stats.forget(vhost)
        self.permissions = {key: given for key, given in self.permissions.items() if key[1] != vhost}


def _allowed(methods: list[str]) -> dict[str, str]:
    there = {*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())}
    return {"allow": ", ".join(method for method in METHODS if method in there)}
