"""`routesim run --watch`: scenarios are run again whenever their files change; it shows what that changed."""

import os
import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, NoReturn

from routesim.cli.handlers.running import RunOptions, read
from routesim.cli.shared.exits import UsageError
from routesim.cli.shared.output import opened, wants_colour
from routesim.diagnostics import Diagnostic
from routesim.named_tuples import NamedTuple
from routesim.report.answers.changes import RunOutcome, differences, new_and_known, outcome_of
from routesim.report.formats import diagnostics
from routesim.report.formats.plain import painted, section_lines
from routesim.report.summary.summary import failed, verdict
from routesim.run import Result, Runner
from routesim.run.verdicts import FAILED, OK, VERDICTS, verdict_of
from routesim.scenario.yaml.source import files_noted
from routesim.tables import BAD, GOOD, NOTICE, QUIET, Cell
from routesim.text import encoding_of, fitted, visible

if TYPE_CHECKING:
    from routesim.cli.terminal.watch_pages import WatchPages

HTML = "html"
INVALID = "INVALID"  # the word where a file cannot be used
EVERY_S = 0.2
SETTLING_S = 0.1  # two looks so far apart must see the same before anything is run
SETTLED_S = 3.0  # and so long at most
MISSING_S = 1.0  # how long a file that is gone is waited for: an editor may be about to put another in its place

# Of a file: when it was changed, how large it is, and which one it is, for another may take its place; None: it is missing.
Stamp = tuple[int, int, int] | None


def check(files: list[str], options: RunOptions, others: dict[str, bool]) -> None:
    """Raises `UsageError` for what does not go together with --watch; `others` are options and whether they were given."""
    if "-" in files:
        raise UsageError("--watch waits for files to change: stdin is none")
    given = {
        **others,
        f"--format {options.format}": options.format not in (None, "table", "plain", HTML),
        "--output": options.output is not None,
        "--coverage": options.coverage,
        "--plot": options.plot,
    }
    for name, is_given in given.items():
        if is_given:
            raise UsageError(f"--watch tells what changes between runs of the embedded engine; leave out {name}")


class FileState(NamedTuple):
    """What is known of a scenario: the files it came from as they were, the last diagnostics, and the last run there was."""

    stamps: dict[str, Stamp]
    problems: list[Diagnostic]
    outcome: RunOutcome | None
    word: str  # the verdict, or INVALID


def watch(files: list[str], options: RunOptions) -> NoReturn:
    """Runs all scenarios, then goes on for ever; Ctrl-C ends it. With `--format html` a page of them is served meanwhile."""
    with opened(None) as out:
        screen = WatchScreen(out)
        pages = _pages(screen) if options.format == HTML else None
        seen: dict[str, FileState] = {}
        for path in dict.fromkeys(files):
            screen.separate(path, "first run")
            seen[path] = _run(path, options, screen, pages, None)
        screen.waits(seen)
        if pages is not None:
            pages.show(seen)
        while True:
            time.sleep(EVERY_S)
            changed = [path for path, known in seen.items() if _stamps(known.stamps) != known.stamps]
            if not changed:
                continue
            _settle({name: stamp for known in seen.values() for name, stamp in known.stamps.items()})
            for path in [path for path, known in seen.items() if _stamps(known.stamps) != known.stamps]:
                now, before = _stamps(seen[path].stamps), seen[path].stamps
                screen.separate(path, ", ".join(_event(name, now[name]) for name in now if now[name] != before[name]))
                seen[path] = _run(path, options, screen, pages, seen[path])
            screen.waits(seen)
            if pages is not None:
                pages.show(seen)


def _pages(screen: "WatchScreen") -> "WatchPages":
    """Raises `UsageError` where the extra is missing."""
    try:
        from routesim.cli.terminal.watch_pages import WatchPages
    except ModuleNotFoundError as missing:
        if missing.name != "h11":
            raise
        raise UsageError("--watch --format html needs h11: pip install h11") from None
    pages = WatchPages()
    screen.line(Cell(f"the page is at {pages.page.url}", NOTICE))
    return pages


def _run(
    path: str, options: RunOptions, screen: "WatchScreen", pages: "WatchPages | None", before: FileState | None
) -> FileState:
    earlier = before.stamps if before else {}
    stamps = _stamps({path, *earlier})  # before anything is read: what changes meanwhile is seen next time
    with files_noted() as files:
        _, scenario, problems = read(path, None, options)
    stamps = {**{name: _stamp(name) for name in files}, **stamps}
    screen.problems(before.problems if before else [], problems)
    if scenario is None:  # what it would have included beyond its error is not known: what it included before counts as well
        screen.line(Cell(f"INVALID  {visible(path)}: it is not run", BAD))
        if pages is not None:
            pages.refused(path, problems)
        return FileState(stamps, problems, before.outcome if before else None, INVALID)
    stamps = {name: stamp for name, stamp in stamps.items() if name in files}
    report = pages.report(path, scenario) if pages is not None else None
    listener = report.listen if report is not None else None
    result = Runner(
        scenario, listener, seed=options.seed, until=options.until, max_events=options.max_events, keep=report is not None
    ).run()
    if report is not None:
        report.finish(result)
    outcome = outcome_of(result)
    if before is None or before.outcome is None:
        screen.failures(result)
    else:
        screen.changed(differences(before.outcome, outcome))
    screen.line(verdict(result))
    return FileState(stamps, problems, outcome, verdict_of(result))


# Files ---------------------------------------------------------------------------------------------------------------


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _stamps(paths: Iterable[str]) -> dict[str, Stamp]:
    return {path: _stamp(path) for path in paths}


def _settle(before: dict[str, Stamp]) -> None:
    """Wait until nobody writes any more: files are saved in pieces, or taken away and put back."""
    began, last = time.monotonic(), before
    while time.monotonic() - began < SETTLED_S:
        now = _stamps(before)
        gone = any(now[name] is None and stamp is not None for name, stamp in before.items())
        if now == last and not (gone and time.monotonic() - began < MISSING_S):
            return
        last = now
        time.sleep(SETTLING_S)


def _event(path: str, stamp: Stamp) -> str:
    return f"{visible(path)} {'changed' if stamp is not None else 'is gone'}"


# Showing -------------------------------------------------------------------------------------------------------------


class WatchScreen:
    """Writes to a terminal or a pipe; each piece at once."""

    def __init__(self, out: IO[str]) -> None:
        self.out, self.encoding, self.colour = out, encoding_of(out), wants_colour(out)
        self.first = True

    def line(self, cell: Cell) -> None:
        self.out.write(fitted(painted(cell, self.colour), self.encoding) + "\n")

    def separate(self, path: str, why: str) -> None:
        self.out.write("" if self.first else "\n")
        self.first = False
        self.line(Cell(f"── {time.strftime('%H:%M:%S')} {visible(path)}: {why} ──", QUIET))

    def problems(self, before: list[Diagnostic], after: list[Diagnostic]) -> None:
        new, lines = new_and_known(before, after)
        diagnostics.write(self.out, new, colour=self.colour)
        for cell in lines:
            self.line(cell)

    def failures(self, result: Result) -> None:
        """What failed at the first run, with the reasons."""
        found = failed(result)
        for line in section_lines(found, colour=self.colour) if found.rows else ():
            self.out.write(fitted(line, self.encoding) + "\n")

    def changed(self, cells: list[Cell]) -> None:
        for cell in cells or [Cell("nothing in the outcome changed", QUIET)]:
            self.line(cell)

    def waits(self, seen: dict[str, FileState]) -> None:
        """All has been run; now it is the files' turn."""
        words = [known.word for known in seen.values()]
        if len(words) > 1:
            sums = ", ".join(f"{words.count(word)} {word}" for word in (*VERDICTS, INVALID) if word in words)
            tone = BAD if {FAILED, INVALID} & set(words) else GOOD if set(words) == {OK} else NOTICE
            self.line(Cell(f"all {len(words)} scenarios: {sums}", tone))
        self.out.flush()
