"""What `routesim diff` compares: the same vhosts of two files."""

from routesim.cli.shared.exits import FilesRefused, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.output import read_stdin
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Diagnostic, Invalid
from routesim.diff.standing import DiffSide
from routesim.scenario import load_placed


def pairs(old: str, new: str, vhost: str | None = None) -> list[tuple[DiffSide, DiffSide]]:
    """The scenarios of both files, one pair for every vhost that either names, or of `vhost` alone. Raises `FilesRefused` when a
    file is invalid."""
    old, new = named(old), named(new)
    if old == new == "-":
        raise UsageError("- stands for stdin and can be given once")
    stdin = read_stdin() if "-" in (old, new) else None
    refused: list[tuple[str, list[Diagnostic]]] = []
    found = [_placed(path, stdin, vhost, refused) for path in (old, new)]
    if refused:
        raise FilesRefused(refused)
    (before, mine), (after, other) = (item for item in found if item is not None)
    if vhost is not None:
        if (mine or other) and vhost not in {*mine, *other}:
            raise UsageError(f"neither file declares anything in vhost '{vhost}'; there is {', '.join(sorted({*mine, *other}))}")
        return [(before, after)]
    vhosts = sorted({*mine, *other})
    # A scenario has one vhost, which is compared whatever its name is.
    if not mine or not other or vhosts == [before.scenario.vhost] == [after.scenario.vhost]:
        return [(before, after)]
    others = [[_placed(path, stdin, vhost, refused) for path in (old, new)] for vhost in vhosts]
    if refused:
        raise FilesRefused(refused)
    return [(first[0], second[0]) for first, second in others if first is not None and second is not None]


def _placed(
    path: str, stdin: bytes | None, vhost: str | None, refused: list[tuple[str, list[Diagnostic]]]
) -> tuple[DiffSide, tuple[str, ...]] | None:
    """A scenario, and the vhosts of its file; None: it cannot be used, and is added to `refused`."""
    try:
        scenario, places = load_placed(path, stdin if path == "-" else None, vhost=vhost)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        refused.append((path, invalid.diagnostics))
        return None
    if vhost is None:
        write_problems(item for item in scenario.warnings if item.code != "unknown-vhost")
    return DiffSide(scenario, places), places.vhosts
