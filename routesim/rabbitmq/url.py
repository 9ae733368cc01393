"""Addresses of a broker: parsed, shown without their password."""

from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from routesim.named_tuples import NamedTuple

AMQP_PORT, AMQPS_PORT, MANAGEMENT_PORT = 5672, 5671, 15672
TIMEOUT_S = 10
ESCAPED = "in a user name or password / is written %2F, ? %3F, # %23, @ %40"


class BadAddress(Exception):
    """The text says what an address looks like; it never repeats a password."""


class Address(NamedTuple):
    """Where AMQP is spoken. `timeout` in seconds: how long a broker may be silent before it counts as lost."""

    host: str
    port: int
    user: str
    password: str
    tls: bool = False
    timeout: int = TIMEOUT_S

    def __repr__(self) -> str:
        return self.shown()

    def __str__(self) -> str:
        return self.shown()

    def shown(self) -> str:
        return f"amqp{'s' * self.tls}://{self.host if ':' not in self.host else f'[{self.host}]'}:{self.port}"


class WebAddress(NamedTuple):
    """Where the management plugin answers; `base` has no credentials and no slash at its end."""

    base: str
    user: str
    password: str
    timeout: int = TIMEOUT_S

    def __repr__(self) -> str:
        return self.base

    def __str__(self) -> str:
        return self.base


def amqp_address(text: str) -> Address:
    """`amqp://user:password@host:port`, all but the scheme optional. A vhost in it is passed over: every run makes its own.

    RabbitMQ's URI parameter `heartbeat` (seconds) bounds how long the broker may be silent. Raises `BadAddress`.
    """
    parts, port = _split(text, ("amqp", "amqps"), "amqp://guest:guest@localhost:5672")
    tls = parts.scheme == "amqps"
    timeout = parse_qs(parts.query).get("heartbeat", [str(TIMEOUT_S)])[-1]
    if not (timeout.isascii() and timeout.isdigit() and 1 <= int(timeout) <= 3600):
        raise BadAddress("heartbeat in the broker's address is a number of seconds from 1 to 3600")
    return Address(
        parts.hostname or "localhost", port or (AMQPS_PORT if tls else AMQP_PORT), unquote(parts.username or "guest"),
        unquote(parts.password if parts.password is not None else "guest"), tls, int(timeout),
    )  # fmt: skip


def web_address(text: str, amqp: Address | None = None) -> WebAddress:
    """`http://host:15672`; credentials that it does not name are those of the AMQP address. Raises `BadAddress`."""
    parts, port = _split(text, ("http", "https"), "http://localhost:15672")
    host = parts.hostname or "localhost"
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    user = unquote(parts.username) if parts.username else amqp.user if amqp else "guest"
    password = unquote(parts.password) if parts.password is not None else amqp.password if amqp else "guest"
    return WebAddress(f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", user, password, amqp.timeout if amqp else TIMEOUT_S)


def management_of(amqp: Address, port: int = MANAGEMENT_PORT) -> WebAddress:
    """The management plugin of the same host, with the same credentials."""
    host = f"[{amqp.host}]" if ":" in amqp.host else amqp.host
    return WebAddress(f"http://{host}:{port}", amqp.user, amqp.password, amqp.timeout)


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def _split(text: str, schemes: tuple[str, ...], example: str) -> tuple[SplitResult, int | None]:
    wrong = BadAddress(f"a broker's address looks like {example}; {ESCAPED}")
    try:
        parts = urlsplit(text)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise wrong from None
    if parts.scheme not in schemes or not text.startswith(f"{parts.scheme}://"):
        raise wrong
    if "@" in parts.path + parts.query + parts.fragment:  # the end of a password, which must not pass for a path
        raise wrong
    return parts, port
