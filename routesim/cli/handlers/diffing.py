"""What `routesim diff` compares: the same vhosts of two files."""

from routesim.cli.shared.exits import FilesRefused, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.output import read_stdin
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Diagnostic, Invalid
from routesim.diff.standing import DiffSide
from routesim.scenario import LoadableFile


def pairs(old: str, new: str, vhost: str | None = None) -> list[tuple[DiffSide, DiffSide]]:
    """The scenarios of both files, one pair for every vhost that either names, or of `vhost` alone. Raises `FilesRefused` when a
    file is invalid."""
    old, new = named(old), named(new)
    if old == new == "-":
        raise UsageError("- stands for stdin and can be given once")
    stdin = read_stdin() if "-" in (old, new) else None
    refused: list[tuple[str, list[Diagnostic]]] = []
    files, found = [], []
    for path in (old, new):
        files.append(_file(path, stdin, refused))
        found.append(_placed(files[-1], vhost, refused))
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
    others = [[_placed(file, vhost, refused, whole=False) for file in files] for vhost in vhosts]
    if refused:
        raise FilesRefused(refused)
    return [(first[0], second[0]) for first, second in others if first is not None and second is not None]


def _file(path: str, stdin: bytes | None, refused: list[tuple[str, list[Diagnostic]]]) -> LoadableFile | None:
    """None: it cannot be read, and is added to `refused`."""
    try:
        return LoadableFile(path, stdin if path == "-" else None)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        refused.append((path, invalid.diagnostics))
        return None


def _placed(
    file: LoadableFile | None, vhost: str | None, refused: list[tuple[str, list[Diagnostic]]], *, whole: bool = True
) -> tuple[DiffSide, tuple[str, ...]] | None:
    """A scenario, and the vhosts of its file; None: it cannot be used, and is in `refused`."""
    if file is None:
        return None
    try:
        scenario, places = file.load(vhost=vhost, whole=whole)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        refused.append((file.path, invalid.diagnostics))
        return None
    if vhost is None:
        write_problems(item for item in scenario.warnings if item.code != "unknown-vhost")
    return DiffSide(scenario, places), places.vhosts
