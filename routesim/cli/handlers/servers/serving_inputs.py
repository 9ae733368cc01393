"""What a server starts with: the virtual hosts of the files, the users, the certificate."""

import json
from typing import TYPE_CHECKING, Any

from routesim.cli.shared.exits import FilesRefused, UsageError
from routesim.cli.shared.output import read_stdin, stderr_line
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Diagnostic, Invalid
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario
from routesim.scenario.load import LoadableFile
from routesim.serve.declared import empty_scenario
from routesim.versions import NEWEST

if TYPE_CHECKING:
    from routesim.scenario.failure_plan import FailurePlan
    from routesim.serve.users import User


class RecordOptions(NamedTuple):
    """`file` None: nothing is recorded."""

    file: str | None
    bodies: bool
    redact: tuple[str, ...]
    force: bool


class ServeOptions(NamedTuple):
    files: tuple[str, ...]
    port: int
    host: str
    rabbitmq: str | None
    vhosts: tuple[str, ...]
    added: tuple[str, ...]
    users: tuple[str, ...]
    users_file: str | None
    clock: str
    speed: int
    history: int
    certificate: str | None
    key: str | None
    format: str | None
    output: str | None
    quiet: bool
    fail_on_loss: bool
    play: bool
    management_port: int
    management: bool
    exit_with_parent: bool
    failures: str | None
    recording: RecordOptions


LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_VHOST = "/"


def scenarios_of(options: ServeOptions) -> dict[str, Scenario]:
    """The scenario of each virtual host. Raises `FilesRefused`, `UsageError`."""
    found: dict[str, Scenario] = {}
    refused: list[tuple[str, list[Diagnostic]]] = []
    for path in options.files:
        for scenario in _of_file(path, options, refused):
            if scenario.vhost in found:
                raise UsageError(f"two files declare the vhost {scenario.vhost}")
            found[scenario.vhost] = scenario
    if refused:
        raise FilesRefused(refused)
    if options.vhosts:
        unknown = [name for name in options.vhosts if name not in found]
        if unknown:
            raise UsageError(f"no file has a vhost '{unknown[0]}'; there is {', '.join(found) or 'none'}")
        found = {name: found[name] for name in options.vhosts}
    version = options.rabbitmq or next((scenario.rabbitmq for scenario in found.values()), NEWEST)
    empty = [name for path in options.files for name in _listed(path, "vhosts")] if not options.vhosts else []
    names = [*(() if found or empty else (DEFAULT_VHOST,)), *empty, *options.added]
    found |= {name: empty_scenario(version, name) for name in names if name not in found}
    if len({scenario.rabbitmq for scenario in found.values()}) > 1:
        raise UsageError("the files are of different versions of RabbitMQ; say which one with --rabbitmq")
    return found


def plan_of(path: str | None) -> "FailurePlan | None":
    """Raises `FilesRefused`."""
    if path is None:
        return None
    from routesim.scenario.failure_plan import load_plan

    try:
        return load_plan(path, read_stdin() if path == "-" else None)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        raise FilesRefused([("<stdin>" if path == "-" else path, invalid.diagnostics)]) from None


def _of_file(path: str, options: ServeOptions, refused: list[tuple[str, list[Diagnostic]]]) -> list[Scenario]:
    stdin = read_stdin() if path == "-" else None
    file = "<stdin>" if path == "-" else path
    try:
        read = LoadableFile(path, stdin)
        scenario, places = read.load(rabbitmq=options.rabbitmq)
        scenarios = [scenario]
        if places.vhosts:
            scenarios = [
                read.load(rabbitmq=options.rabbitmq, vhost=name, whole=name == places.vhosts[0])[0] for name in places.vhosts
            ]
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        refused.append((file, invalid.diagnostics))
        return []
    for each in scenarios:
        write_problems(item for item in each.warnings if item.code != "unknown-vhost")
    return scenarios


# Users -------------------------------------------------------------------------------------------------------------


def users_of(options: ServeOptions) -> "dict[str, User]":
    """Raises `UsageError`."""
    from routesim.serve.users import GUEST_USER, User

    lines = list(options.users)
    if options.users_file is not None:
        lines += _lines(options.users_file)
    users: dict[str, User] = {}
    for path in options.files:
        users |= _declared(path)
    for line in lines:
        name, colon, password = line.partition(":")
        if not name or not colon:
            raise UsageError("a user is written name:password")
        users[name] = User(name, password)
    if not users and options.host not in LOOPBACK:
        raise UsageError(f"who may connect to {options.host}? guest only comes from this machine: name somebody with --user")
    return users or {GUEST_USER.name: GUEST_USER}


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            return [line for line in stream.read().splitlines() if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot read {path}: {getattr(problem, 'strerror', None) or problem}") from None


def _listed(path: str, what: str) -> dict[str, dict[str, Any]]:
    """What a definitions file lists under that key, by name; of any other file nothing."""
    if path == "-":
        return {}
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        data: Any = json.loads(text) if text.lstrip()[:1] == "{" else {}
    except (OSError, ValueError):
        return {}
    listed = data.get(what)
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return {item["name"]: item for item in items if isinstance(item.get("name"), str)}


def _declared(path: str) -> "dict[str, User]":
    """The users of a definitions file that have a password there."""
    from routesim.serve.users import hashed_user

    users = {}
    for name, item in _listed(path, "users").items():
        hashed = item.get("password_hash")
        if isinstance(hashed, str) and hashed:
            try:
                users[name] = hashed_user(name, hashed, str(item.get("hashing_algorithm") or ""))
            except ValueError:
                stderr_line(f"warning: the password_hash of user {name} in {path} is no Base64")
    return users
