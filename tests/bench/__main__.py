"""`python tests/bench [--quick] [--tiny] [--readme] [SECTION...]`: routesim beside floors and peers measured in the same run.

What is printed to be judged are ratios; the figures beside them are for orientation. Each ratio is the median of many
pairs of short slices that take turns (pairs.py), so that a machine that changes its speed does so for both sides. The
status is 0 whatever the goals say: a busy machine is no failure. It is 1 where an error ended a section; the others are measured.
"""

import argparse
import datetime
import os
import platform
import sys
import time
import traceback
from pathlib import Path

import celery_tasks
import copying
import exploring
import growing
import loading
import memory
import piping
import policies
import queue_types
import rendering
import routing
import serving
import startup
import throughput
from rows import FIGURE, GOAL, RATIO, SURE, TO, WHAT, Row, renewed, renewed_section
from scale import FULL, QUICK, TINY, Scale

SECTIONS = {
    "throughput": throughput,
    "policies": policies,
    "queues": queue_types,
    "celery": celery_tasks,
    "routing": routing,
    "memory": memory,
    "startup": startup,
    "rendering": rendering,
    "loading": loading,
    "piping": piping,
    "serving": serving,
    "copying": copying,
    "exploring": exploring,
    "scale": growing,
}
BROKEN: list[str] = []  # sections that an error has ended
README = Path(__file__).resolve().with_name("README.md")
HEAD = f"  {'':<{WHAT}}{'figure':>{FIGURE}}{'ratio':>{RATIO}}{'half of them':>{SURE}}  {'to':<{TO}}{'goal':<{GOAL}}holds"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench", description="Ratios to floors and peers, measured in one run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; default: all")
    parser.add_argument("--tasks", type=int, metavar="N", help=f"tasks of Celery; default: {FULL.tasks:,}")
    parser.add_argument("--quick", action="store_true", help="fewer pairs, under ten minutes for all of it")
    parser.add_argument("--tiny", action="store_true", help="next to nothing, to see that it works")
    parser.add_argument(
        "--readme", action="store_true", help="write the table, or these sections of it, into tests/bench/README.md too"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if asked.readme and asked.tiny:
        parser.error("--readme takes what has been measured: no --tiny")
    scale = TINY if asked.tiny else QUICK if asked.quick else FULL
    scale = scale._replace(tasks=asked.tasks or scale.tasks)
    when = f"{datetime.date.today():%d %B %Y}{load()}{', quick' if asked.quick else ''}"
    lines = [say(f"{when}, {machine()}"), say(HEAD)]
    began = time.monotonic()
    for name in asked.sections or SECTIONS:
        found = section(name, scale)
        lines += [f"\n{SECTIONS[name].TITLE}", *found]
        if asked.readme and asked.sections and name not in BROKEN:
            table = renewed_section(README.read_text("utf-8"), SECTIONS[name].TITLE, when, found)
            README.write_text(table, encoding="utf-8")
    say(f"\n{time.monotonic() - began:.0f} s")
    if BROKEN:
        sys.exit(f"not measured as a whole: {', '.join(BROKEN)}")
    if asked.readme and not asked.sections:
        README.write_text(renewed(README.read_text("utf-8"), "\n".join(lines)), encoding="utf-8")


def section(name: str, scale: Scale) -> list[str]:
    say(f"\n{SECTIONS[name].TITLE}")
    lines: list[str] = []
    rows: list[Row] = []
    try:
        for row in SECTIONS[name].measure(scale):
            rows.append(row)
            lines.append(say(str(row)))
    except Exception as error:  # the other sections are measured all the same, and the status says that one was not
        traceback.print_exc()
        lines.append(say(f"  the rest of {name} is not measured: {type(error).__name__}"))
        BROKEN.append(name)
    assert rows or name in BROKEN, f"{name} has found nothing"
    return lines


def say(line: str) -> str:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return line


def load() -> str:
    """What else the machine has to do, where the system tells."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f", load {os.getloadavg()[1]:.1f} at the start"


def machine() -> str:
    """The kind of machine, in so far as the system tells."""
    processor = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        processor = next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} x {processor}, {platform.system()}, {python}"


if __name__ == "__main__":
    main()
