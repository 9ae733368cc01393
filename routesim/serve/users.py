"""Who may connect, and how they say who they are: the SASL mechanisms of RabbitMQ."""

import base64
import hashlib
import hmac

from routesim.amqp.fields import SIZE, BadField, read_table, text_of
from routesim.named_tuples import NamedTuple
from routesim.values import raw
from routesim.versions import Rules

GUEST, ADMINISTRATOR = "guest", "administrator"
HASHES = {"rabbit_password_hashing_sha256": hashlib.sha256, "rabbit_password_hashing_sha512": hashlib.sha512}


class User(NamedTuple):
    """`hashed`: as a definitions file has it, salt first; else `password` is plain. `loopback_only`: nobody else may be it.
    `tags`: nobody asks what they permit."""

    name: str
    password: str | None = None
    hashed: bytes | None = None
    algorithm: str = "rabbit_password_hashing_sha256"
    loopback_only: bool = False
    tags: tuple[str, ...] = (ADMINISTRATOR,)

    def has(self, password: bytes) -> bool:
        if self.hashed is None:
            return self.password is not None and hmac.compare_digest(self.password.encode(), password)
        made = HASHES.get(self.algorithm)
        salt, digest = self.hashed[:4], self.hashed[4:]
        return made is not None and hmac.compare_digest(made(salt + password).digest(), digest)


Users = dict[str, User]
GUEST_USER = User(GUEST, GUEST, loopback_only=True)


class LoginRefused(Exception):
    """The login is refused; nobody is told why."""


class Malformed(Exception):
    """The answer is none of its mechanism; the text as RabbitMQ says it."""


def mechanisms(rules: Rules) -> tuple[str, ...]:
    """As RabbitMQ offers them, in its order."""
    if rules.is_at_least("4.3.0"):
        return ("AMQPLAIN", "ANONYMOUS", "PLAIN")
    return ("PLAIN", "AMQPLAIN", "ANONYMOUS") if rules.is_at_least("4.0.0") else ("PLAIN", "AMQPLAIN")


def login(mechanism: str, answer: bytes, users: Users) -> User:
    """Who that is. Raises `LoginRefused`, `Malformed`."""
    if mechanism == "ANONYMOUS":
        return _known(users, GUEST)
    name, password = _plain(answer) if mechanism == "PLAIN" else _amqplain(answer)
    return login_plain(name, password, users)


def login_plain(name: str, password: bytes, users: Users) -> User:
    """Who that is. Raises `LoginRefused`."""
    user = users.get(name)
    if user is None or not user.has(password):
        raise LoginRefused(name)
    return user


def _known(users: Users, name: str) -> User:
    if name not in users:
        raise LoginRefused(name)
    return users[name]


def _plain(answer: bytes) -> tuple[str, bytes]:
    parts = answer.split(b"\0")
    if len(parts) != 3:
        raise Malformed("the answer of PLAIN is no user and password")
    return text_of(parts[1]), parts[2]


def _amqplain(answer: bytes) -> tuple[str, bytes]:
    """A field table without its size."""
    try:
        table, _ = read_table(SIZE.pack(len(answer)) + answer, 0)
    except BadField:
        raise Malformed("AMQPLAIN auth info is no table") from None
    name, password = raw(table.get("LOGIN")), raw(table.get("PASSWORD"))
    if not isinstance(name, str) or not isinstance(password, str | bytes):
        raise Malformed("AMQPLAIN auth info has no LOGIN or no PASSWORD field")
    return name, password if isinstance(password, bytes) else password.encode("utf-8", "surrogateescape")


def hashed_user(name: str, hash: str, algorithm: str, tags: tuple[str, ...] = (ADMINISTRATOR,)) -> User:
    """A user of a definitions file. Raises ValueError where that is no Base64."""
    hashed = base64.b64decode(hash, validate=True)
    return User(name, hashed=hashed, algorithm=algorithm or "rabbit_password_hashing_sha256", tags=tags)


def password_hash(user: User) -> str:
    """As a definitions file has it; nothing where the user has no password."""
    if user.hashed is not None:
        return base64.b64encode(user.hashed).decode()
    if user.password is None:
        return ""
    salt = hashlib.sha256(user.name.encode()).digest()[:4]
    return base64.b64encode(salt + HASHES[user.algorithm](salt + user.password.encode()).digest()).decode()
