"""What `routesim verify` found: a line a scenario, the two sides of a difference beside each other, and the sum."""

import json
from collections import Counter
from collections.abc import Callable
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from routesim.report.formats.plain import section_lines
from routesim.tables import BAD, GOOD, QUIET, Cell, Section
from routesim.text import encoding_of, fitted, visible
from routesim.verify import VerifyVerdict

ALL_SHOWN = 50


def summary(verdicts: list[VerifyVerdict]) -> str:
    agree = sum(item.agrees for item in verdicts)
    differ = sum(item.difference is not None for item in verdicts)
    skipped = sum(item.skipped is not None for item in verdicts)
    again = sum(item.agrees and item.tries > 1 for item in verdicts)
    parts = [f"{agree} agree" + (f" ({again} not at the first try)" if again else ""), f"{differ} differ"]
    if skipped:
        parts.append(f"{skipped} skipped")
    return ", ".join(parts)


def write_text(out: IO[str], verdicts: list[VerifyVerdict], version: str, *, colour: bool) -> None:
    """The tables `table` and `plain` are the same: names are long. Of many that agree, only the number is told."""
    encoding = encoding_of(out)
    many = len(verdicts) > ALL_SHOWN
    for verdict in verdicts:
        if many and verdict.difference is None:
            continue
        for line in _lines(verdict, colour):
            out.write(fitted(line, encoding) + "\n")
    reasons = Counter(item.skipped for item in verdicts if many and item.skipped is not None)
    for reason, count in reasons.most_common():
        out.write(fitted(f"-  {count} skipped: {visible(reason or '')}", encoding) + "\n")
    word = "DIFFERENT" if any(item.difference for item in verdicts) else "OK"
    out.write(fitted(f"{word}  {summary(verdicts)}; on a real RabbitMQ {version}", encoding) + "\n")


def _lines(verdict: VerifyVerdict, colour: bool) -> list[str]:
    name = visible(verdict.file)
    if verdict.skipped is not None:
        return [f"-  {name}: skipped: {visible(verdict.skipped)}"]
    found = verdict.difference
    if found is None:
        return [f"✔  {name}"]
    rows = [
        (Cell("simulated", QUIET), Cell(visible(_shown(found.simulated)), GOOD)),
        (Cell("RabbitMQ", QUIET), Cell(visible(_shown(found.real)), BAD)),
        (Cell("rule", QUIET), Cell(visible(found.rule))),
    ]
    title = f"✘  {name}: {visible(found.what)} {visible(found.where)}".rstrip()
    return section_lines(Section(title, ("", ""), rows), colour=colour)


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_json(out: IO[str], verdicts: list[VerifyVerdict], version: str, *, colour: bool) -> None:
    rows = [
        {
            "file": item.file, "scenario": item.name, "agrees": item.agrees, "skipped": item.skipped, "tries": item.tries,
            "difference": item.difference._asdict() if item.difference else None,
        }
        for item in verdicts
    ]  # fmt: skip
    ok = not any(item.difference for item in verdicts)
    out.write(json.dumps({"format": 1, "rabbitmq": version, "ok": ok, "verdicts": rows}) + "\n")


def write_junit(out: IO[str], verdicts: list[VerifyVerdict], version: str, *, colour: bool) -> None:
    failures = sum(item.difference is not None for item in verdicts)
    skipped = sum(item.skipped is not None for item in verdicts)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="routesim verify" tests="{len(verdicts)}" failures="{failures}" errors="0" skipped="{skipped}">',
    ]
    for item in verdicts:
        lines.append(f"  <testcase classname={_attribute(item.file)} name={_attribute(item.name)}>")
        if item.skipped is not None:
            lines.append(f"    <skipped message={_attribute(item.skipped)}/>")
        elif item.difference is not None:
            found = item.difference
            told = (f"simulated: {_shown(found.simulated)}", f"RabbitMQ: {_shown(found.real)}", f"rule: {found.rule}")
            text = "\n".join(escape(visible(line)) for line in told)
            message = _attribute(f"{found.what} {found.where}")
            lines.append(f"    <failure message={message}>{text}</failure>")
        lines.append("  </testcase>")
    out.write("\n".join([*lines, "</testsuite>"]) + "\n")


def _attribute(text: str) -> str:
    return quoteattr(visible(text))


FORMATS: dict[str, Callable[..., None]] = {
    "table": write_text,
    "plain": write_text,
    "json": write_json,
    "junit": write_junit,
}
