"""What the commands that ask a running server do."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from routesim.cli.shared.exits import NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import stderr_line
from routesim.control.client import NoServer, NotDone, ServerAddress, address_of, ask
from routesim.durations import duration_text
from routesim.text import visible


def told(lines: Callable[[], Iterator[str]]) -> int:
    """Print the lines; the exit status."""
    try:
        for line in lines():
            sys.stdout.write(visible(line) + "\n")
    except NoServer as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    except NotDone as problem:
        stderr_line(f"error: {problem}")
        return UNUSABLE
    return OK


def asked(url: str) -> "Asked":
    """Raises `UsageError`."""
    if not url:
        raise UsageError("which server? --server URL, or ROUTESIM_SERVER: the address that `routesim serve` said when it began")
    try:
        return Asked(address_of(url))
    except ValueError as problem:
        raise UsageError(str(problem)) from None


class Asked:
    """Each answers in lines. Raises `NoServer`, `NotDone`."""

    def __init__(self, server: ServerAddress) -> None:
        self.server = server

    def advance(self, time: str) -> Iterator[str]:
        answer = ask(self.server, "POST", ("clock", "advance"), {"by": time})
        due = answer["due_ms"]
        then = "" if due is None else f"; the next timer is due in {duration_text(due - answer['now_ms'])}"
        yield f"it is {duration_text(answer['now_ms'])} now{then}"

    def fail(
        self, failure: str, target: str | None, vhost: str | None, options: Mapping[str, Any], *, ends: bool
    ) -> Iterator[str]:
        given = {name: value for name, value in {"target": target, "vhost": vhost, **options}.items() if value is not None}
        answer = ask(self.server, "POST", ("failures",), {"failure": failure, "ends": ends, **given})
        befallen = answer["befallen"]
        yield f"{failure}{' is over' if ends else ''}: {', '.join(befallen) if befallen else 'nobody is there'}"

    def snapshot(self, vhost: str | None, name: str) -> Iterator[str]:
        where = self._vhost(vhost)
        ask(self.server, "PUT", ("snapshots", where, name))
        yield f"snapshot {name} of vhost {where} is taken"

    def restore(self, vhost: str | None, name: str) -> Iterator[str]:
        where = self._vhost(vhost)
        ask(self.server, "POST", ("snapshots", where, name, "restore"))
        yield f"vhost {where} is as it was in snapshot {name}"

    def why(self, vhost: str | None, message: str) -> Iterator[str]:
        for known in ask(self.server, "GET", ("messages", self._vhost(vhost), message)):
            yield from known["story"]

    def _vhost(self, given: str | None) -> str:
        if given is not None:
            return given
        names = list(ask(self.server, "GET", ())["vhosts"])
        if len(names) != 1:
            raise NotDone(f"which vhost? --vhost {' or '.join(names)}")
        return str(names[0])
