"""The bench cannot rot: every section runs at a tiny size. Nothing here is about time."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"
SECTIONS = ("throughput", "policies", "routing", "memory", "startup", "rendering", "loading", "piping", "serving", "exploring")


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


def test_the_table_goes_into_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    renewed = importlib.import_module("rows").renewed
    text = (BENCH / "README.md").read_text(encoding="utf-8")
    once = renewed(text, "a table \\1\nof two lines")
    assert "```text\n$ python tests/bench\na table \\1\nof two lines\n```\n" in once
    assert renewed(once, "another") == renewed(text, "another")


@pytest.mark.parametrize(
    ("value", "least", "said"),
    [(8, True, "yes"), (7.5, True, "tie"), (7.3, True, "NO"), (8, False, "yes"), (8.5, False, "tie"), (9, False, "NO"), (0, False, "yes"), (-1, False, "yes")],
)  # fmt: skip
def test_goals(value: float, least: bool, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    assert importlib.import_module("rows").Goal("G", 8, least).holds(value) == said
