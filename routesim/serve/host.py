"""What a connection asks of the server that it belongs to."""

from collections.abc import Callable
from typing import Any, Protocol

from routesim.serve.users import Users
from routesim.serve.vhosts import Vhost
from routesim.versions import Rules


class ServerHost(Protocol):
    """`unsent`: connections with something to send; `names`: those that connections have."""

    rules: Rules
    version: str
    users: Users
    vhosts: dict[str, Vhost]
    largest_body: int
    unsent: list[Any]
    connections: set[Any]
    names: set[str]

    def named(self, wanted: str) -> str:
        """A name that no other connection has."""

    def clock_ms(self) -> int:
        """The server's time."""

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Do that when so much of the server's time has passed."""


class FailingHost(ServerHost, Protocol):
    """What failures on order ask of it too."""

    def end_restarted(self, vhost: Vhost, *, clean: bool) -> None:
        """The broker of a virtual host has stopped and started: its clients are cut off."""

    def alarm(self, vhost: Vhost, reason: str | None) -> None:
        """Who publishes there is blocked; None: no more."""


class Link(Protocol):
    """What carries a connection: a socket, or whatever stands for one."""

    def send(self, data: bytes) -> None: ...

    def end(self, after_s: float) -> None:
        """Close it, once all is sent, so much later."""

    def stay(self) -> None:
        """It need not end after all."""

    def beat(self, every_s: int) -> None:
        """Heartbeats both ways; 0: none."""

    def listen(self, *, hears: bool) -> None:
        """Read what the client sends, or leave it where it is."""
