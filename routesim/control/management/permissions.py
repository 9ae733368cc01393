"""Users and their permissions, which are told and not enforced."""

from collections.abc import Iterator
from typing import Any

from routesim.control.http_messages import HttpError, HttpRequest, Response
from routesim.control.management.asked import CREATED, DONE, FOUR, Managed, body_of, missing, required, text_of, vhost_named
from routesim.control.management.listing import listed, with_columns
from routesim.control.management.vhosts import tags_of
from routesim.control.router import Route
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.serve.users import GUEST, User, hashed_user, password_hash

ALL = ".*"
KINDS = ("configure", "write", "read")
Item = dict[str, Any]


def whoami(context: Managed, request: HttpRequest) -> Any:
    found: Item = {"name": context.user, "tags": list(context.server.users[context.user].tags)}
    return {**found, "is_internal_user": True} if context.at_least(FOUR) else found


def user_form(user: User) -> Item:
    return {
        "name": user.name, "password_hash": password_hash(user), "hashing_algorithm": user.algorithm, "tags": list(user.tags),
        "limits": {},
    }  # fmt: skip


def users(context: Managed, request: HttpRequest) -> Any:
    found = [user_form(each) for each in context.server.users.values()]
    return listed(request, found, "name", pages=context.at_least(FOUR))


def without_permissions(context: Managed, request: HttpRequest) -> Any:
    with_some = {item["user"] for item in permissions_of(context)}
    found = [user_form(each) for each in context.server.users.values() if each.name not in with_some]
    return listed(request, found, "name")


def _user(context: Managed, name: str) -> User:
    if name not in context.server.users:
        raise missing()
    return context.server.users[name]


def user(context: Managed, request: HttpRequest, name: str) -> Any:
    return with_columns(request, user_form(_user(context, name)))


def put_user(context: Managed, request: HttpRequest, name: str) -> Response:
    body = body_of(request)
    if "tags" not in body:
        raise HttpError(400, "tags_not_present")
    return DONE if set_user(context, name, body) else CREATED


def set_user(context: Managed, name: str, body: Item) -> bool:
    """Whether it was there; who is new may do nothing, as it is told. Raises `HttpError`."""
    there = name in context.server.users
    context.server.users[name] = user_from(name, body)
    for vhost in context.server.vhosts if not there else ():
        context.permissions[name, vhost] = None
    return there


def user_from(name: str, body: Item) -> User:
    """As an address or a definitions file has it. Raises `HttpError`."""
    tags = tags_of(body.get("tags", ""))
    if "password_hash" in body:
        hashed = text_of(body, "password_hash")
        try:
            if hashed:
                return hashed_user(name, hashed, text_of(body, "hashing_algorithm"), tags)
        except ValueError:
            raise HttpError(400, ["not_base64", hashed]) from None
        return User(name, tags=tags)
    password = text_of(body, "password") if "password" in body else None
    return User(name, password, loopback_only=name == GUEST, tags=tags)


def delete_user(context: Managed, request: HttpRequest, name: str) -> Response:
    _user(context, name)
    del context.server.users[name]
    for vhost in context.server.vhosts:
        context.permissions.pop((name, vhost), None)
    return DONE


# Permissions ---------------------------------------------------------------------------------------------------------


def permissions_of(context: Managed) -> Iterator[Item]:
    """Of each user in each virtual host: everything, unless something else was set."""
    for vhost in sorted(context.server.vhosts):
        for name in context.server.users:
            given = context.permissions.get((name, vhost), dict.fromkeys(KINDS, ALL))
            if given is not None:
                yield {"user": name, "vhost": vhost, **given}


def permissions(context: Managed, request: HttpRequest) -> Any:
    return listed(request, permissions_of(context), "vhost", "user")


def in_vhost(context: Managed, request: HttpRequest, vhost: str) -> Any:
    vhost_named(context, vhost)
    return listed(request, [item for item in permissions_of(context) if item["vhost"] == vhost], "user")


def of_user(context: Managed, request: HttpRequest, name: str) -> Any:
    _user(context, name)
    return listed(request, [item for item in permissions_of(context) if item["user"] == name], "vhost")


def _one(context: Managed, vhost: str, name: str) -> Item:
    for item in permissions_of(context):
        if (item["vhost"], item["user"]) == (vhost, name):
            return item
    raise missing()


def permission(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    return with_columns(request, _one(context, vhost, name))


def put(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    body = body_of(request)
    required(body, *KINDS)
    if vhost not in context.server.vhosts or name not in context.server.users:
        raise HttpError(400, "vhost_or_user_not_found")
    there = context.permissions.get((name, vhost), {}) is not None
    allow(context, vhost, name, body)
    return DONE if there else CREATED


def allow(context: Managed, vhost: str, name: str, body: Item) -> None:
    """What is told from now on. Raises `HttpError`."""
    given = {kind: text_of(body, kind) for kind in KINDS}
    for pattern in given.values():
        try:
            compiled(pattern)
        except (InvalidPattern, UnreadablePattern) as problem:
            raise HttpError(400, ["invalid_regexp", pattern, str(problem)]) from None
    context.permissions[name, vhost] = given


def delete(context: Managed, request: HttpRequest, vhost: str, name: str) -> Response:
    _one(context, vhost, name)
    context.permissions[name, vhost] = None
    return DONE


ROUTES = [
    Route("GET", "whoami", whoami),
    Route("GET", "users", users),
    Route("GET", "users/without-permissions", without_permissions),
    Route("GET", "users/{name}", user),
    Route("PUT", "users/{name}", put_user),
    Route("DELETE", "users/{name}", delete_user),
    Route("GET", "users/{name}/permissions", of_user),
    Route("GET", "permissions", permissions),
    Route("GET", "permissions/{vhost}/{name}", permission),
    Route("PUT", "permissions/{vhost}/{name}", put),
    Route("DELETE", "permissions/{vhost}/{name}", delete),
    Route("GET", "vhosts/{vhost}/permissions", in_vhost),
]
