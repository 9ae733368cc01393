"""What of users, permissions and virtual hosts stops an import (rules/routing#F4, rules/routing#F13)."""

import re
from collections.abc import Iterator
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.definitions.list_form import DECLARING, Path, items_of

DEFAULT_USER = "guest"  # most brokers have it, whatever the file says
# What somebody, or a script, is to fill in.
PLACEHOLDER = re.compile(r"^\$|\$\{|\{\{|^<.*>$|^__.*__$|^%.*%$|^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^(REDACTED|[A-Z]*PASS(WORD)?HASH)$")
RIGHTS = ("configure", "write", "read")


def is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


class AccessProblem(NamedTuple):
    """`path`: the first item of which it is so."""

    severity: str
    path: Path
    message: str
    cure: str


def unlisted(by_vhost: ByVhost) -> Iterator[AccessProblem]:
    """What belongs to virtual hosts that the file does not list, one problem each."""
    known = {*by_vhost.named("vhosts")}
    if not known:
        return
    known.add("/")
    for section in (*DECLARING, "permissions", "topic_permissions", "parameters"):
        for index, name in by_vhost.first_of_each(section):
            if name not in known:
                known.add(name)
                text = f"vhost '{name}' is not in 'vhosts': RabbitMQ refuses the whole import unless it has the vhost already"
                yield AccessProblem("warning", (section, index, "vhost"), text, f'add {{"name": "{name}"}} to "vhosts"')


def access_problems(by_vhost: ByVhost, vhost: str) -> Iterator[AccessProblem]:
    """What is wrong with the permissions in a virtual host."""
    yield from _strangers(by_vhost, vhost)
    yield from _patterns(by_vhost, vhost)


def _strangers(by_vhost: ByVhost, vhost: str) -> Iterator[AccessProblem]:
    """Permissions of users whom the file does not have, one problem a user."""
    known = by_vhost.named("users")
    told: set[str] = set()
    for section in ("permissions", "topic_permissions"):
        for index, item in by_vhost.items(section, vhost):
            user = item.get("user")
            if not isinstance(user, str) or user in known or user in told:
                continue
            if user == DEFAULT_USER and not known and not told:
                continue
            told.add(user)
            unless = "unless it has that user already"
            if user == DEFAULT_USER:
                unless = "where there is no such user, as on a node that loads its definitions as it boots"
            text = f"a permission for user '{user}', who is not in 'users': RabbitMQ refuses the whole import {unless}"
            yield AccessProblem("warning", (section, index, "user"), text, "add the user, or take the permission out")


def _patterns(by_vhost: ByVhost, vhost: str) -> Iterator[AccessProblem]:
    for index, item in by_vhost.items("permissions", vhost):
        for right in RIGHTS:
            pattern = item.get(right)
            if not isinstance(pattern, str):
                continue
            try:
                compiled(pattern)
            except UnreadablePattern:
                continue
            except InvalidPattern as problem:
                text = f"RabbitMQ refuses the whole import: '{right}' is no regular expression: {problem}"
                yield AccessProblem("error", ("permissions", index, right), text, "`.*` is everything, `^$` nothing")


def access_findings(data: dict[str, Any]) -> Iterator[tuple[str, AccessProblem]]:
    """What only `check` tells, each with its code: nothing of it keeps an import from being carried out."""
    users = data.get("users")
    listed = users if isinstance(users, list) else []
    clear = [
        index for index, item in enumerate(listed)
        if isinstance(item, dict) and isinstance(item.get("password"), str) and item["password"] and not item.get("password_hash")
        and not is_placeholder(item["password"])
    ]  # fmt: skip
    if clear:
        name = listed[clear[0]].get("name")
        more = f" and {len(clear) - 1} more" if len(clear) > 1 else ""
        text = f"the password of user '{name}'{more} stands in clear in this file, which whoever reads it may use"
        cure = "write password_hash, as an export does: `rabbitmqctl hash_password` makes it"
        yield "password-in-clear", AccessProblem("warning", ("users", clear[0], "name"), text, cure)
    declares = any(True for section in DECLARING for _ in items_of(data, section))
    says = next((section for section in ("users", "permissions") if isinstance(data.get(section), list)), None)
    others = (item.get("user") for item in items_of(data, "permissions"))
    stranger = any(isinstance(user, str) and user != DEFAULT_USER for user in others)  # who is told of
    if not listed and declares and says is not None and not stranger:  # one without both is for a broker that has its users
        text = "the file has no users: a node that loads it as it boots makes none of its own, not even guest"
        yield "no-users", AccessProblem("note", (says,), text, "add a user with its permissions, or make one by hand")
