"""What `routesim check` does once its command line is understood."""

import os
from collections.abc import Iterable
from typing import NamedTuple

from routesim.check import RULES, SEVERITIES, Finding, check_file
from routesim.cli.handlers.explaining import rules_of
from routesim.cli.shared.exits import NO, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import CannotWrite, is_terminal, opened, read_stdin, stderr, stderr_line, wants_colour
from routesim.diagnostics import Invalid, did_you_mean
from routesim.explain.pages.errors import PAGES
from routesim.report.formats import diagnostics
from routesim.report.formats.findings import FINDING_FORMATS, Findings


class CheckOptions(NamedTuple):
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str
    rabbitmq: str | None
    witness: str | None
    format: str | None
    output: str | None


def check_files(files: list[str], options: CheckOptions) -> int:
    """Checks every file; status 1 when anything is found that counts, 2 when a file cannot be read."""
    _one_of("--format", options.format, FINDING_FORMATS)
    _one_of("--fail-on", options.fail_on, SEVERITIES)
    for option, codes in (("--select", options.select), ("--ignore", options.ignore)):
        for code in codes:
            if code not in PAGES:
                hint = did_you_mean(code, RULES) or f"the rules are {', '.join(RULES)}"
                raise UsageError(f"{option} takes the code of a rule, not '{code}'; {hint}")
    if options.rabbitmq is not None:
        rules_of(options.rabbitmq)
    if files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")
    stdin = read_stdin() if "-" in files else None
    found: list[tuple[str, list[Finding]]] = []
    unreadable = False
    for path in files:
        try:
            items = check_file(path, stdin if path == "-" else None, rabbitmq=options.rabbitmq)
        except Invalid as invalid:
            unreadable = True
            with stderr() as stream:
                diagnostics.write(stream, invalid.diagnostics, colour=wants_colour(stream))
            continue
        found.append((path, [item for item in items if _wanted(item, options)]))
    if unreadable:
        return UNUSABLE
    findings = Findings(found, options.fail_on)
    try:
        with opened(options.output) as out:
            format = options.format or ("table" if is_terminal(out) else "plain")
            FINDING_FORMATS[format](out, findings, colour=wants_colour(out))
        if options.witness is not None:
            _write_witnesses(options.witness, findings, files)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return NO if any(findings.fails(finding) for finding in findings.all()) else OK


def _one_of(option: str, given: str | None, known: Iterable[str]) -> None:
    if given is not None and given not in known:
        hint = did_you_mean(given, known)
        raise UsageError(f"{option} takes {', '.join(known)}, not '{given}'" + (f"; {hint}" if hint else ""))


def _wanted(finding: Finding, options: CheckOptions) -> bool:
    return finding.code not in options.ignore and (not options.select or finding.code in options.select)


def _write_witnesses(path: str, findings: Findings, files: list[str]) -> None:
    """One file is one scenario: the worst finding's in `path`, the others beside it, numbered."""
    worst_first = sorted(findings.all(), key=lambda finding: SEVERITIES.index(finding.severity))
    shown = [finding for finding in worst_first if finding.witness is not None]
    if not shown:
        stderr_line("no finding has a witness: nothing is written")
    if path == "-":
        shown = shown[:1]
    stem, ending = os.path.splitext(path)
    names = [path if number == 1 else f"{stem}-{number}{ending}" for number in range(1, len(shown) + 1)]
    for name in names:
        if any(os.path.exists(name) and os.path.exists(file) and os.path.samefile(name, file) for file in files):
            raise UsageError(f"--witness would overwrite {name}")
    for name, finding in zip(names, shown, strict=True):
        assert finding.witness is not None
        with opened(name) as out:
            out.write(finding.witness.scenario)
        if name != "-":
            stderr_line(f"wrote {name}: {finding.code}")
