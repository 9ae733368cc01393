"""The connections of a run: one for each connection of the scenario, opened when it is first used."""

import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from routesim.rabbitmq.problems import BrokerProblem, NoAccess
from routesim.rabbitmq.url import Address

try:
    import pika
    import pika.exceptions
    from pika.adapters.utils.connection_workflow import AMQPConnectorException
except ImportError:
    raise BrokerProblem("the AMQP client library is not installed: pip install pika") from None

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what went wrong is told once, in our words

SLICE_S = 0.002
SEEN_S = 2.0


class ClosedByBroker(Exception):
    """The broker closed a channel or connection with this code and text."""

    def __init__(self, code: int, text: str, *, connection: bool) -> None:
        self.code, self.text, self.connection = code, text, connection
        super().__init__(text)

    @property
    def closes_connection(self) -> bool:
        """As the embedded engine's refusals say it."""
        return self.connection


def parameters(address: Address, vhost: str) -> pika.ConnectionParameters:
    return pika.ConnectionParameters(
        address.host, address.port, vhost, pika.PlainCredentials(address.user, address.password),
        heartbeat=address.timeout, socket_timeout=address.timeout, stack_timeout=address.timeout,
        blocked_connection_timeout=address.timeout, connection_attempts=1,
        ssl_options=pika.SSLOptions(ssl.create_default_context(), address.host) if address.tls else None,
        client_properties={"product": "routesim"},
    )  # fmt: skip


class Connections:
    """Every method may raise `BrokerProblem` when the broker is lost, and `ClosedByBroker` when it closes something."""

    def __init__(self, address: Address, vhost: str) -> None:
        self.address = address
        self.vhost = vhost
        self.open: dict[str, Any] = {}
        self.version = ""
        self.round_trips = 0  # of settling

    def connection(self, name: str) -> Any:
        found = self.open.get(name)
        if found is None:
            found = self.open[name] = connect(self.address, self.vhost)
            self.version = version_of(found)
        return found

    def do(self, operation: Any, *arguments: Any, **named: Any) -> Any:
        """Call into the library, with its errors in our words."""
        try:
            return operation(*arguments, **named)
        except pika.exceptions.ChannelClosedByBroker as closed:
            raise ClosedByBroker(closed.reply_code, closed.reply_text, connection=False) from None
        except pika.exceptions.ConnectionClosedByBroker as closed:
            if closed.reply_code == 320:  # shut down, or thrown out by an administrator
                raise BrokerProblem(f"the broker at {self.address} closed the connection: {closed.reply_text}") from None
            raise ClosedByBroker(closed.reply_code, closed.reply_text, connection=True) from None
        except (pika.exceptions.AMQPConnectionError, OSError) as error:
            raise lost(self.address, error) from None

    def flush(self, channels: Sequence[Any]) -> None:
        """Until each of these channels of the library has dealt with all that was sent before, or has closed. They are asked all
        at once, so it takes one round trip however many they are."""
        asked = [channel for channel in channels if channel.is_open]
        for channel in asked:
            channel.flows_asked += 1
            self.do(channel._impl._send_method, pika.spec.Channel.Flow(True))
        for channel in asked:
            self.do(channel.connection._flush_output, partial(_has_answered, channel))
        self.round_trips += bool(asked)

    def open_channel(self, name: str) -> Any:
        """A new channel of the library, on the connection of that name."""
        channel = self.do(self.connection(name).channel)
        channel.flows_asked = channel.flows_answered = 0

        def answered(frame: Any) -> None:
            channel.flows_answered += 1

        channel._impl.add_callback(answered, [pika.spec.Channel.FlowOk], one_shot=False)
        return channel

    def poll(self, seconds: float = 0.0) -> None:
        """Take in what has arrived, for at least so long."""
        until = time.monotonic() + seconds
        while True:
            for name in list(self.open):
                connection = self.open.get(name)
                if connection is not None and connection.is_open:
                    self.do(connection.process_data_events, 0)
            rest = until - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, SLICE_S))

    def close(self, name: str) -> None:
        """Close one connection, its channels first, in the order of their opening.

        The library cancels all consumers before it closes a channel, which serves a successor before what was held is back. A
        client need not do that, so here the channels are closed without.
        """
        connection = self.open.pop(name, None)
        if connection is None or not connection.is_open:
            return
        for channel in list(connection._impl._channels.values()):
            if channel.is_open:
                channel._consumers.clear()
                self.do(channel.close)
                self.do(self._carry_on, connection, lambda channel=channel: channel.is_closed)
        self.do(connection.close)

    def drop(self, name: str) -> None:
        """The connection ends as when its process dies: nothing is said, the socket is gone. Waits for the broker to see it."""
        connection = self.open.pop(name, None)
        if connection is None or not connection.is_open:
            return
        plain = connection._impl._transport._sock
        with suppress(OSError):
            plain.shutdown(socket.SHUT_WR)
            plain.settimeout(SEEN_S)
            while plain.recv(65536):  # what had been on its way; at its end, or a reset, the broker has let go as well
                continue
        plain.settimeout(0)
        with suppress(pika.exceptions.AMQPError, OSError):
            self._carry_on(connection, lambda: False)  # until the library has noticed as well, and let go of all that it had

    def _carry_on(self, connection: Any, done: Callable[[], bool]) -> None:
        until = time.monotonic() + self.address.timeout
        while not done():
            connection.process_data_events(SLICE_S)
            if time.monotonic() > until:
                raise BrokerProblem(f"the broker at {self.address} did not answer within {self.address.timeout} s")

    def forget(self, name: str) -> None:
        self.open.pop(name, None)

    def close_all(self) -> None:
        """Best effort: what does not close by itself goes with its virtual host."""
        for name in list(self.open):
            connection = self.open.pop(name)
            try:
                if connection.is_open:
                    connection.close()
            except (pika.exceptions.AMQPError, OSError):
                continue


def _has_answered(channel: Any) -> bool:
    return channel.flows_answered >= channel.flows_asked or not channel.is_open


def connect(address: Address, vhost: str) -> Any:
    """An open connection. Raises `BrokerProblem`."""
    try:
        return pika.BlockingConnection(parameters(address, vhost))
    except (pika.exceptions.ProbableAuthenticationError, pika.exceptions.AuthenticationError):
        raise BrokerProblem(f"the broker at {address} refuses the user name or password") from None
    except pika.exceptions.ProbableAccessDeniedError:
        raise NoAccess(f"the broker at {address} gives {address.user} no access") from None
    except (pika.exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        raise unreachable(address, error) from None


def version_of(connection: Any) -> str:
    """The broker's version, as it says when a connection is opened."""
    found = connection._impl.server_properties or {}
    return str(found.get("version", ""))


def unreachable(address: Address, error: BaseException) -> BrokerProblem:
    return BrokerProblem(f"the broker at {address} cannot be reached: {_reason(address, error)}")


def lost(address: Address, error: BaseException) -> BrokerProblem:
    return BrokerProblem(f"the connection to the broker at {address} was lost: {_reason(address, error)}")


def _reason(address: Address, error: BaseException) -> str:
    while error.args and isinstance(inner := getattr(error.args[0], "exception", error.args[0]), BaseException):
        error = inner  # the library packs what happened into what it was doing then
    name = type(error).__name__
    if name == "ConnectionBlockedTimeout":
        return f"it takes no messages, for {address.timeout} s now (an alarm: memory or disk)"
    if "Timeout" in name:
        return f"no answer within {address.timeout} s"
    if name in ("IncompatibleProtocolError", "AMQPHeartbeatTimeout"):
        return {"IncompatibleProtocolError": "what answers there does not speak AMQP 0-9-1"}.get(name, "no answer")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    parts = [str(item) for item in getattr(error, "args", ()) if item is not None]
    text = " ".join(" ".join(parts).split())
    cause = getattr(error, "__cause__", None)
    if not text and isinstance(cause, OSError):
        text = cause.strerror or str(cause)
    return (text or "it closed the connection")[:200]
