"""`python tests/bench [--tiny] [--readme] [SECTION...]`: routesim beside floors and peers measured in the same run.

What is printed to be judged are ratios; the figures beside them are for orientation. Each ratio is the median of many
pairs of short slices that take turns (pairs.py), so that a machine that changes its speed does so for both sides. The
status is 0 whatever the goals say: a busy machine is no failure.
"""

import argparse
import datetime
import os
import platform
import sys
import time
from pathlib import Path

import exploring
import loading
import memory
import piping
import policies
import rendering
import routing
import serving
import startup
import throughput
from rows import FIGURE, GOAL, RATIO, TO, WHAT, Row, renewed
from scale import FULL, TINY, Scale

SECTIONS = {
    "throughput": throughput,
    "policies": policies,
    "routing": routing,
    "memory": memory,
    "startup": startup,
    "rendering": rendering,
    "loading": loading,
    "piping": piping,
    "serving": serving,
    "exploring": exploring,
}
README = Path(__file__).resolve().with_name("README.md")
HEAD = f"  {'':<{WHAT}}{'figure':>{FIGURE}}{'ratio':>{RATIO}} {'to':<{TO}}{'goal':<{GOAL}}holds"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench", description="Ratios to floors and peers, measured in one run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; default: all")
    parser.add_argument("--tiny", action="store_true", help="next to nothing, to see that it works")
    parser.add_argument("--readme", action="store_true", help="write the table into tests/bench/README.md too")
    asked = parser.parse_args()
    unknown = [name for name in asked.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if asked.readme and (asked.sections or asked.tiny):
        parser.error("--readme takes the whole table: no sections, no --tiny")
    lines = [say(f"{datetime.date.today():%d %B %Y}, {machine()}"), say(HEAD)]
    began = time.monotonic()
    for name in asked.sections or SECTIONS:
        lines += section(name, TINY if asked.tiny else FULL)
    say(f"\n{time.monotonic() - began:.0f} s")
    if asked.readme:
        README.write_text(renewed(README.read_text("utf-8"), "\n".join(lines)), encoding="utf-8")


def section(name: str, scale: Scale) -> list[str]:
    lines = [say(f"\n{SECTIONS[name].TITLE}")]
    rows: list[Row] = []
    for row in SECTIONS[name].measure(scale):
        rows.append(row)
        lines.append(say(str(row)))
    assert rows, f"{name} has found nothing"
    return lines


def say(line: str) -> str:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return line


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
