"""What `routesim diff` compares: the same vhosts of two files."""

import sys

from routesim.cli.shared.exits import UNUSABLE, UsageError
from routesim.cli.shared.output import read_stdin, stderr, wants_colour
from routesim.diagnostics import Diagnostic, Invalid
from routesim.report.formats import diagnostics
from routesim.scenario import Scenario, load_placed


def pairs(old: str, new: str) -> list[tuple[Scenario, Scenario]]:
    """The scenarios of both files, one pair for every vhost that either names; exits with 2 when a file is invalid."""
    if old == new == "-":
        raise UsageError("- stands for stdin and can be given once")
    stdin = read_stdin() if "-" in (old, new) else None
    problems: list[Diagnostic] = []
    found = [_first(path, stdin, problems) for path in (old, new)]
    _tell(problems)
    if None in found:
        sys.exit(UNUSABLE)
    (before, mine), (after, other) = (item for item in found if item is not None)
    vhosts = sorted({*mine, *other})
    # A scenario has one vhost, which is compared whatever its name is.
    if not mine or not other or vhosts == [before.vhost] == [after.vhost]:
        return [(before, after)]
    try:
        return [(load_placed(old, stdin, vhost=vhost)[0], load_placed(new, stdin, vhost=vhost)[0]) for vhost in vhosts]
    except Invalid as invalid:
        _tell(invalid.diagnostics)
        sys.exit(UNUSABLE)


def _first(path: str, stdin: bytes | None, problems: list[Diagnostic]) -> tuple[Scenario, tuple[str, ...]] | None:
    try:
        scenario, places = load_placed(path, stdin if path == "-" else None)
    except Invalid as invalid:
        problems += invalid.diagnostics
        return None
    problems += [item for item in scenario.warnings if item.code != "unknown-vhost"]
    return scenario, places.vhosts


def _tell(problems: list[Diagnostic]) -> None:
    if problems:
        with stderr() as stream:
            diagnostics.write(stream, problems, colour=wants_colour(stream))
