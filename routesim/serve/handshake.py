"""How a connection begins and ends: protocol header, login, tuning, the virtual host, and what stands on channel 0 afterwards."""

from collections.abc import Callable
from typing import Any, Protocol

from routesim import __version__
from routesim.amqp.frames import PROTOCOL_HEADER, SMALLEST_MAX, FrameReader
from routesim.amqp.methods import id_of
from routesim.replies import AmqpError
from routesim.serve.faults import Fault, fault_of
from routesim.serve.host import Link, ServerHost
from routesim.serve.users import LoginRefused, Malformed, User, login, mechanisms
from routesim.serve.vhosts import Vhost
from routesim.versions import Rules

CHANNEL_MAX, FRAME_MAX, HEARTBEAT_S = 2047, 131072, 60
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
CAPABILITIES = (
    "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify", "connection.blocked",
    "consumer_priorities", "authentication_failure_close", "per_consumer_qos", "direct_reply_to",
)  # fmt: skip
SILENT_S = 3.0  # whom RabbitMQ does not trust waits so long for its end
STARTING, TUNING, OPENING, RUNNING, CLOSING, CLOSED = "starting", "tuning", "opening", "running", "closing", "closed"


class Begins(Protocol):
    """A connection, as far as its beginning and its end need it."""

    server: ServerHost
    link: Link
    reader: FrameReader
    state: str
    peer: str
    name: str
    user: str
    loopback: bool
    vhost: Vhost | None
    alarm: str | None
    frame_max: int
    channel_max: int
    hears_cancels: bool
    capabilities: dict[str, Any]
    client_properties: dict[str, Any]
    mechanism: str
    heartbeat_s: int
    opened_ms: int

    def say(self, name: str, **arguments: Any) -> None:
        """A method on channel 0."""

    def close(self) -> None:
        """connection.close by the client."""

    def end(self) -> None:
        """Nothing more is said or heard."""


def offered(header: bytes, rules: Rules) -> bytes | None:
    """The protocol header with which another one is answered; None: it is the right one."""
    if header in (PROTOCOL_HEADER, b"AMQP\x01\x01\x00\x09"):
        return None
    if not rules.is_at_least("4.0.0") or (header[:6] == b"AMQP\0\0" and header[6] >= 9):
        return PROTOCOL_HEADER
    return SASL_HEADER


def start(connection: Begins) -> None:
    rules = connection.server.rules
    properties = {
        "capabilities": dict.fromkeys(CAPABILITIES, True),
        "cluster_name": "routesim",
        "copyright": "none",
        "information": "routesim simulates RabbitMQ",
        "platform": "Python",
        "product": "RabbitMQ",
        "version": connection.server.version,
        "simulator": f"routesim {__version__}",
    }
    connection.say(
        "connection.start", version_major=0, version_minor=9, server_properties=properties,
        mechanisms=" ".join(mechanisms(rules)), locales="en_US",
    )  # fmt: skip
    connection.state = STARTING


def carry_out(connection: Begins, name: str, given: dict[str, Any]) -> None:
    """A method on channel 0. Raises `Fault`."""
    if name == "connection.close" and connection.state in (RUNNING, CLOSING):
        connection.close()
    elif name == "connection.close-ok" and connection.state in (CLOSING, "refused"):
        connection.end()
    elif (name, connection.state) in PHASES:
        PHASES[name, connection.state](connection, given)
    elif connection.state == CLOSING:
        return
    else:
        raise fault_of(name, 504, f"unexpected method in connection state {connection.state}")


def start_ok(connection: Begins, given: dict[str, Any]) -> None:
    server, properties, mechanism = connection.server, given["client_properties"], given["mechanism"]
    connection.client_properties, connection.mechanism = properties, mechanism
    found = properties.get("capabilities")
    connection.capabilities = capabilities = found if isinstance(found, dict) else {}
    connection.hears_cancels = capabilities.get("consumer_cancel_notify") is True
    connection.name = server.named(connection_name(properties, connection.peer))
    if mechanism not in mechanisms(server.rules):
        raise fault_of("connection.start-ok", 503, f"unknown authentication mechanism '{mechanism}'")
    try:
        user = login(mechanism, given["response"], server.users)
        _only_from_here(connection, user)
    except Malformed as problem:
        raise fault_of("connection.start-ok", 502, str(problem)) from None
    except LoginRefused:
        text = f"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile."
        raise Fault(403, text) from None
    connection.user = user.name
    connection.say("connection.tune", channel_max=CHANNEL_MAX, frame_max=FRAME_MAX, heartbeat=HEARTBEAT_S)
    connection.state = TUNING


def _only_from_here(connection: Begins, user: User) -> None:
    if user.loopback_only and not connection.loopback:
        raise LoginRefused(user.name)


def tune_ok(connection: Begins, given: dict[str, Any]) -> None:
    _within("frame_max", SMALLEST_MAX, given["frame_max"], FRAME_MAX)
    _within("channel_max", 1, given["channel_max"], CHANNEL_MAX)
    connection.frame_max = connection.reader.largest = given["frame_max"]
    connection.channel_max = given["channel_max"]
    connection.heartbeat_s = given["heartbeat"]
    connection.link.beat(given["heartbeat"])
    connection.state = OPENING


def _within(field: str, least: int, given: int, most: int) -> None:
    which = None
    if given and given < least:
        which = ("lower", "minimum", least)
    elif not given or given > most:
        which = ("higher", "maximum", most)
    if which is not None:
        said = " (no limit)" if not given else ""
        text = f"negotiated {field} = {given}{said} is {which[0]} than the {which[1]} allowed value ({which[2]})"
        raise Fault(530, text, id_of("connection.tune"))


def open_vhost(connection: Begins, given: dict[str, Any]) -> None:
    name = given["virtual_host"]
    vhost = connection.server.vhosts.get(name)
    if vhost is None:
        raise fault_of("connection.open", 530, f"vhost {name} not found")
    if vhost.refuses:
        connection.end()
        return
    connection.vhost = vhost
    connection.alarm, connection.opened_ms = vhost.alarm, connection.server.clock_ms()
    connection.say("connection.open-ok")
    connection.state = RUNNING
    connection.link.stay()


def update_secret(connection: Begins, given: dict[str, Any]) -> None:
    connection.say("connection.update-secret-ok")


PHASES: dict[tuple[str, str], Callable[[Begins, dict[str, Any]], None]] = {
    ("connection.start-ok", STARTING): start_ok,
    ("connection.tune-ok", TUNING): tune_ok,
    ("connection.open", OPENING): open_vhost,
    ("connection.update-secret", RUNNING): update_secret,
}


def failed(connection: Begins, fault: AmqpError, at: tuple[int, int]) -> None:
    """An error before the connection was open: said where RabbitMQ says it, then silence."""
    state = connection.state
    login_told = state == STARTING and fault.code == 403 and connection.capabilities.get("authentication_failure_close") is True
    if login_told or state == OPENING:
        connection.say("connection.close", reply_code=fault.code, reply_text=fault.text, class_id=at[0], method_id=at[1])
        connection.state = "refused"
        connection.link.end(SILENT_S)
    else:
        connection.state = CLOSED
        connection.link.end(SILENT_S)


def connection_name(properties: dict[str, Any], peer: str) -> str:
    """As the client calls itself, else by its program and port."""
    given = properties.get("connection_name")
    if not isinstance(given, str) or not given:
        product = properties.get("product")
        program = product.split()[0].lower() if isinstance(product, str) and product.split() else "client"
        given = f"{program}:{peer.rpartition(':')[2]}"
    return given[:100]
