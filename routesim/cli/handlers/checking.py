"""What `routesim check` does once its command line is understood."""

import os

from routesim.check import RULES, check_file
from routesim.cli.shared.exits import NO, OK, UNUSABLE, UsageError
from routesim.cli.shared.files import found
from routesim.cli.shared.options import choice, format_of, stdin_once
from routesim.cli.shared.output import CannotWrite, format_for, opened, read_stdin, stderr_line, style_of
from routesim.cli.shared.refusing import FOR_PEOPLE, rules_of, write_problems
from routesim.diagnostics import SEVERITIES, Diagnostic, Invalid, did_you_mean
from routesim.explain.pages.errors import PAGES
from routesim.named_tuples import NamedTuple
from routesim.report.formats import CHECK, formats_of, writer_of
from routesim.report.results import Suite
from routesim.report.results.findings import Findings, found_in, refused


class CheckOptions(NamedTuple):
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str
    rabbitmq: str | None
    witness: str | None
    format: str | None
    output: str | None
    vhost: str | None = None


def check_files(files: list[str], options: CheckOptions) -> int:
    """Checks every file; status 1 when anything is found that counts, 2 when a file cannot be used."""
    files = found(files)
    options = options._replace(format=format_of(options.format, options.output, formats_of(CHECK)))
    _understood(files, options)
    stdin = read_stdin() if "-" in files else None
    suites = [_checked(path, stdin, options) for path in files]
    unusable = any(suite.refused for suite in suites)
    try:
        if not all(suite.refused for suite in suites) or (options.format or "plain") not in FOR_PEOPLE:
            with opened(options.output) as out:
                format = format_for(options.format, out)
                writer_of(format, CHECK)(out, Findings(suites), style_of(out, format))
        if options.witness is not None and not unusable:
            _write_witnesses(options.witness, [item for suite in suites for item in suite.problems()], files)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return UNUSABLE if unusable else NO if any(suite.fails for suite in suites) else OK


def _understood(files: list[str], options: CheckOptions) -> None:
    """Raises `UsageError`."""
    choice("--fail-on", options.fail_on, SEVERITIES)
    for option, codes in (("--select", options.select), ("--ignore", options.ignore)):
        for code in codes:
            if code not in PAGES:
                hint = did_you_mean(code, RULES) or f"the rules are {', '.join(RULES)}"
                raise UsageError(f"{option} takes the code of a rule, not '{code}'; {hint}")
    if options.rabbitmq is not None:
        rules_of(options.rabbitmq)
    stdin_once(files)


def _checked(path: str, stdin: bytes | None, options: CheckOptions) -> Suite:
    try:
        items = check_file(
            path, stdin if path == "-" else None, rabbitmq=options.rabbitmq, vhost=options.vhost, asked=options.select
        )
    except Invalid as invalid:
        if options.format != "github" or options.output is not None:  # else annotations say it, and they are seen
            write_problems(invalid.diagnostics)
        return refused(path, invalid.diagnostics)
    return found_in(path, [item for item in items if _wanted(item, options)], options.fail_on)


def _wanted(finding: Diagnostic, options: CheckOptions) -> bool:
    return finding.code not in options.ignore and (not options.select or finding.code in options.select)


def _write_witnesses(path: str, findings: list[Diagnostic], files: list[str]) -> None:
    """One file is one scenario: the worst finding's in `path`, the others beside it, numbered."""
    worst_first = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    shown = [(finding.code, finding.witness) for finding in worst_first if finding.witness is not None]
    if not shown:
        stderr_line("no finding has a witness: nothing is written")
    if path == "-":
        shown = shown[:1]
    stem, ending = os.path.splitext(path)
    names = [path if number == 1 else f"{stem}-{number}{ending}" for number in range(1, len(shown) + 1)]
    for name in names:
        if any(os.path.exists(name) and os.path.exists(file) and os.path.samefile(name, file) for file in files):
            raise UsageError(f"--witness would overwrite {name}")
    for name, (code, witness) in zip(names, shown, strict=True):
        with opened(name) as out:
            out.write(witness.scenario)
        if name != "-":
            stderr_line(f"wrote {name}: {code}")


def errors_in(files: list[str], rabbitmq: str | None, vhost: str | None) -> int:
    """What `check` calls an error in files that can be used, to stderr; the exit status."""
    found = [
        item
        for path in files
        if path != "-"
        for item in check_file(path, rabbitmq=rabbitmq, vhost=vhost)
        if item.severity == SEVERITIES[0]
    ]
    write_problems(found)
    return NO if found else OK
