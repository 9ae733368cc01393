"""Who may ask for what: the address that was asked, the page that asked, the token, the user and password."""

import base64
import hmac
import ipaddress
from urllib.parse import urlsplit

from routesim.control.http_messages import HttpError, HttpRequest
from routesim.named_tuples import NamedTuple
from routesim.serve.users import LoginRefused, Users, login_plain

TOKEN = "x-routesim-token"
READS = ("GET", "HEAD")
LOCAL = ("127.0.0.1", "localhost", "[::1]")


class Gate(NamedTuple):
    """`hosts`: the names under which the server is known, with the port. `everywhere`: it listens at every address of the
    machine, and is asked by any of them; by a name it is not, for somebody else may give it one.
    """

    hosts: frozenset[str]
    token: str
    users: Users
    everywhere: bool = False

    def check_host(self, request: HttpRequest) -> None:
        """A page elsewhere whose name leads here (DNS rebinding) has another host in its address."""
        host = request.headers.get("host", "").lower()
        if host not in self.hosts and not (self.everywhere and _is_address(host)):
            raise HttpError(403, f"this server is asked as {sorted(self.hosts)[0]}, not as '{host}'", "forbidden")

    def check_origin(self, request: HttpRequest) -> None:
        """A browser says which page asks."""
        origin = request.headers.get("origin")
        if origin is None:
            return
        place = urlsplit(origin).netloc.lower()
        asked = self.everywhere and place == request.headers.get("host", "").lower()
        if place not in self.hosts and not asked:
            raise HttpError(403, f"pages of {origin} may not ask here", "forbidden")

    def check_token(self, request: HttpRequest) -> None:
        """Of requests that change something."""
        if request.method in READS:
            return
        given = request.headers.get(TOKEN, "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise HttpError(
                401, f"what changes something needs the header {TOKEN}; the server said it when it began", "not_authorized"
            )

    def check_address(self, request: HttpRequest) -> None:
        """Of the page: the token is in its address."""
        if not hmac.compare_digest(request.query.get("token", "").encode(), self.token.encode()):
            raise HttpError(401, "the page has a token in its address: open it as the server said it", "not_authorized")

    def check_user(self, request: HttpRequest) -> str:
        """The name of who asks. Raises `HttpError`."""
        try:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            name, _, password = (
                base64.b64decode(given if scheme.lower() == "basic" else "", validate=True).decode().partition(":")
            )
            return login_plain(name, password.encode(), self.users).name
        except (ValueError, LoginRefused):
            challenge = {"www-authenticate": 'Basic realm="RabbitMQ Management"'}
            raise HttpError(401, "Login failed", "not_authorized", challenge) from None


def _is_address(host: str) -> bool:
    """Whether that is an address, perhaps with a port, and no name."""
    text = host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] or host
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_everywhere(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def hosts_of(host: str, port: int) -> frozenset[str]:
    shown = f"[{host}]" if ":" in host else host
    return frozenset(f"{name}:{port}" for name in (shown.lower(), *LOCAL))
