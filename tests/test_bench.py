"""The bench cannot rot: every section runs at a tiny size. Nothing here is about time."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"
SECTIONS = ("throughput", "policies", "routing", "memory", "startup", "rendering", "loading", "piping")


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, BENCH, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=False)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_at_a_tiny_size(section: str) -> None:
    done = bench("--tiny", section)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if re.search(r"\d (x|s|bytes|MiB)|\d/s|not (measured|known)", line)]
    assert len(rows) >= 2, done.stdout
    assert max(map(len, rows)) <= 130


def test_no_section_is_forgotten() -> None:
    shown = " ".join(bench("--help").stdout.split())
    assert re.findall(r"SECTION ([a-z, ]+); default", shown) == [", ".join(SECTIONS)]


def test_an_unknown_section_is_refused() -> None:
    done = bench("rooting")
    assert done.returncode == 2
    assert "rooting" in done.stderr
    assert "routing" in done.stderr


def test_the_readme_has_a_place_for_the_table() -> None:
    text = (BENCH.parents[1] / "README.md").read_text(encoding="utf-8")
    assert text.count("<!-- bench -->\n```text\n$ python tests/bench\n") == 1
