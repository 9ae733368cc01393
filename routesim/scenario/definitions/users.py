"""What of users, their rights and the limits of virtual hosts keeps a broker from importing a file, whatever the topology is; and
hashes by which nobody can log in (rules/routing#F4)."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.scenario.definitions.access import RIGHTS, AccessProblem, is_placeholder
from routesim.scenario.definitions.by_vhost import ByVhost

SALT_BYTES = 4
HASH_BYTES = {  # rabbit_password_hashing_*.erl
    "rabbit_password_hashing_sha256": 32,
    "rabbit_password_hashing_sha512": 64,
    "rabbit_password_hashing_md5": 16,
}
LIMITS = ("max-connections", "max-queues")  # of a virtual host (rabbit_vhost_limit.erl)


def refused_users(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """Users that no version imports, one problem for all of which it is the same."""
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for index, item in enumerate(by_vhost.section("users")):
        wrong = next(_user(item), None) if isinstance(item, dict) else None
        if wrong is not None:
            found.setdefault(wrong, []).append((index, str(item.get("name"))))
    for (key, why, cure), users in found.items():
        index, name = users[0]
        where = ("users", index, key) if key in by_vhost.data["users"][index] else ("users", index)
        who = f"user '{name}'{_more(users)}"
        yield AccessProblem("warning", where, f"RabbitMQ refuses the whole import: {why.format(who)}", cure)


def useless_hashes(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """Hashes that an import takes, and that no password fits; one problem for all of which it is the same."""
    found: dict[str, list[tuple[int, str]]] = {}
    for index, item in enumerate(by_vhost.section("users")):
        given = item.get("password_hash") if isinstance(item, dict) else None
        wrong = ""
        if isinstance(given, str) and _decoded(given) and not is_placeholder(given):
            wrong = _length(item, given)
        if wrong:
            found.setdefault(wrong, []).append((index, str(item.get("name"))))
    for wrong, users in found.items():
        text = f"nobody can log in as '{users[0][1]}'{_more(users)}: {wrong}"
        yield AccessProblem("warning", ("users", users[0][0], "name"), text, "`rabbitmqctl hash_password` makes one")


def _more(users: list[tuple[int, str]]) -> str:
    return f" and {len(users) - 1} more" if len(users) > 1 else ""


def _user(item: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    given = item.get("password_hash")
    if given is not None and item.get("password") is not None:
        yield "password_hash", "{} has both password and password_hash", "take one of the two out"
    if given is not None and _decoded(given) is None and not is_placeholder(given):
        yield "password_hash", "the password_hash of {} is no Base64", "`rabbitmqctl hash_password` makes one"
    tags = item.get("tags")
    if tags is None:
        yield "tags", "{} has no tags (tags_not_present)", 'add "tags": [], or "administrator"'
    elif not isinstance(tags, str) and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        yield "tags", "the tags of {} are neither text nor a list", 'write "tags": ["monitoring"]'


def is_base64(given: Any) -> bool:
    """As Erlang reads it."""
    return _decoded(given) is not None


def _decoded(given: Any) -> bytes | None:
    """Blanks within do no harm to it."""
    try:
        return base64.b64decode("".join(given.split()), validate=True)
    except (AttributeError, TypeError, ValueError, binascii.Error):
        return None


def _length(item: dict[str, Any], given: str) -> str:
    """Why a hash fits no password."""
    algorithm = item.get("hashing_algorithm")
    size = len(_decoded(given) or b"")
    if algorithm is None:  # sha256, and md5 in files of brokers before 3.6
        known = [HASH_BYTES["rabbit_password_hashing_sha256"], HASH_BYTES["rabbit_password_hashing_md5"]]
    elif algorithm in HASH_BYTES:
        known = [HASH_BYTES[algorithm]]
    else:
        return f"RabbitMQ has no hashing_algorithm {str(algorithm)!r}"
    if size - SALT_BYTES in known:
        return ""
    return f"a password_hash has {size} bytes, {SALT_BYTES + known[0]} are a salt and a hash of {algorithm or 'SHA-256'}"


def refused_rights(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """Permissions that lack something, or say what cannot be matched."""
    for index, item in enumerate(by_vhost.section("permissions")):
        if not isinstance(item, dict):
            continue
        missing = [right for right in RIGHTS if not isinstance(item.get(right), str)]
        if missing:
            text = f"RabbitMQ refuses the whole import: a permission without {', '.join(missing)}"
            yield AccessProblem("warning", ("permissions", index), text, f'add "{missing[0]}": ".*", or "^$" for nothing')
        elif by_vhost.several and not isinstance(item.get("vhost"), str):
            text = "RabbitMQ refuses the whole import: a permission without vhost"
            yield AccessProblem("warning", ("permissions", index), text, 'add "vhost"')
    for index, item in enumerate(by_vhost.section("topic_permissions")):
        for right in ("write", "read"):
            pattern = item.get(right) if isinstance(item, dict) else None
            try:
                if isinstance(pattern, str):
                    compiled(pattern)
            except UnreadablePattern:
                continue
            except InvalidPattern as problem:
                text = f"RabbitMQ refuses the whole import: '{right}' is no regular expression: {problem}"
                yield AccessProblem("warning", ("topic_permissions", index, right), text, "`.*` is everything, `^$` nothing")


def refused_parameters(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """Runtime parameters of no component, and limits of virtual hosts that are none."""
    for index, item in enumerate(by_vhost.section("parameters")):
        if not isinstance(item, dict):
            continue
        component, value = item.get("component"), item.get("value")
        why, key = "", "value"
        if not isinstance(component, str):
            why, key = "a parameter without component", "component"
        elif component == "vhost-limits" and not isinstance(value, dict):
            why = "limits of a vhost are an object"
        elif component == "vhost-limits" and isinstance(value, dict):
            unknown = [name for name in value if name not in LIMITS]
            no_number = [name for name in value if isinstance(value[name], bool) or not isinstance(value[name], int)]
            if unknown:
                why = f"'{unknown[0]}' is no limit of a vhost"
            elif no_number:
                why = f"{no_number[0]} should be a number"
        if why:
            where = ("parameters", index, key) if key in item else ("parameters", index)
            cure = f"a limit is {' or '.join(LIMITS)}, with a number" if component == "vhost-limits" else 'add "component"'
            yield AccessProblem("warning", where, f"RabbitMQ refuses the whole import: {why}", cure)


def refused(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """All of them."""
    yield from refused_users(by_vhost)
    yield from refused_rights(by_vhost)
    yield from refused_parameters(by_vhost)
