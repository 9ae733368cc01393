"""What `routesim upgrade` compares: every vhost of a file under two versions, by a run, by `check` and by the table."""

import re

from routesim.check import check
from routesim.cli.shared.exits import FilesRefused, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.output import read_stdin
from routesim.cli.shared.refusing import rules_of, write_problems
from routesim.diagnostics import Invalid
from routesim.explain.upgrade import UpgradeSide
from routesim.scenario import LoadableFile, Places, Scenario
from routesim.versions import NEWEST, parse

BETWEEN = ".."
VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


def versions_between(text: str | None, old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """The versions before and after: of `3.13..4.3`, where one of them may be left out, or of `--from` and `--to`; `4.3` alone is
    the one after. Raises `UsageError`."""
    if text is not None:
        if old is not None or new is not None:
            raise UsageError("--rabbitmq FROM..TO says both versions; leave out --from and --to")
        before, between, after = text.rpartition(BETWEEN)
        if not between and len(two := VERSION.findall(text)) == 2:
            raise UsageError(f"--rabbitmq takes two versions as FROM..TO: write {two[0]}{BETWEEN}{two[1]}")
        old, new = before or None, after or None
        if between and old is None and new is None:
            raise UsageError("--rabbitmq takes two versions, such as 3.13..4.3")
    for version in (old, new):
        rules_of(version)
    return old, new


def sides(path: str, old: str | None, new: str | None, vhost: str | None) -> list[tuple[UpgradeSide, UpgradeSide]]:
    """Each vhost under both versions. Raises `FilesRefused`, and `UsageError` where both versions are the same."""
    path = named(path)
    file = _file(path)
    first, places = _loaded(file, old, vhost)
    if vhost is not None and places.vhosts and vhost not in places.vhosts:
        raise UsageError(f"nothing is declared in vhost '{vhost}' of {path}; there is {', '.join(places.vhosts)}")
    after = new or NEWEST
    if parse(first.rabbitmq) == parse(after):
        whose = (
            ""
            if old is not None
            else "the file names no other version: "
            if first.rabbitmq == NEWEST
            else "the file is of that version: "
        )
        raise UsageError(
            f"{whose}RabbitMQ {first.rabbitmq} is compared with itself; say from which version, --rabbitmq 3.13..{after}"
        )
    vhosts: list[str | None] = [*places.vhosts] if vhost is None and places.vhosts else [vhost]
    write_problems(item for item in first.warnings if item.code not in ("unknown-vhost", "refused"))
    wholes = [True, *(False for _ in vhosts[1:])]  # what is wrong with the whole file is found once
    return [(_side(file, old, name, whole), _side(file, after, name, whole)) for name, whole in zip(vhosts, wholes, strict=True)]


def _side(file: LoadableFile, version: str | None, vhost: str | None, whole: bool) -> UpgradeSide:
    scenario, places = _loaded(file, version, vhost, whole=whole)
    return UpgradeSide(scenario, places, check(scenario, places), bool(places.vhosts))


def _file(path: str) -> LoadableFile:
    try:
        return LoadableFile(path, read_stdin() if path == "-" else None)
    except Invalid as invalid:
        raise _refused(path, invalid) from None


def _loaded(file: LoadableFile, version: str | None, vhost: str | None, *, whole: bool = True) -> tuple[Scenario, Places]:
    try:
        return file.load(rabbitmq=version, lenient=True, vhost=vhost, whole=whole)
    except Invalid as invalid:
        raise _refused(file.path, invalid) from None


def _refused(path: str, invalid: Invalid) -> FilesRefused:
    write_problems(invalid.diagnostics)
    return FilesRefused([("<stdin>" if path == "-" else path, invalid.diagnostics)])
