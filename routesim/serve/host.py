"""What a connection asks of the server that it belongs to."""

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


class Link(Protocol):
    """What carries a connection: a socket, or whatever stands for one."""

    def send(self, data: bytes) -> None: ...

    def end(self, after_s: float) -> None:
        """Close it, once all is sent, so much later."""

    def stay(self) -> None:
        """It need not end after all."""

    def beat(self, every_s: int) -> None:
        """Heartbeats both ways; 0: none."""
