"""The file that a recording is written to."""

import os
from collections.abc import Iterable

from routesim.cli.shared.exits import UsageError
from routesim.cli.shared.output import opened, stderr_line
from routesim.recording.redacting import ROUTES


def check_target(path: str, redact: Iterable[str], *, force: bool) -> None:
    """Raises `UsageError` for what could not be written in the end."""
    if path == "-":
        raise UsageError("a recording needs the name of a file")
    if os.path.lexists(path) and not force:
        raise UsageError(f"{path} exists already; --force overwrites it")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError(f"cannot write {path}: there is no folder {folder}")
    for name in redact:
        if name in ROUTES:
            raise UsageError(f"--redact {name} would change where messages go")


def write_recording(path: str, text: str) -> None:
    """Raises `CannotWrite`."""
    with opened(path) as out:
        out.write(text)
    stderr_line(f"wrote {path}; `routesim run {path}` repeats it")
