"""The bench cannot rot: every section runs at a tiny size. Nothing here is about time."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"
SECTIONS = (
    "throughput", "policies", "queues", "celery", "routing", "memory", "startup", "rendering", "loading", "piping", "serving",
    "copying", "exploring", "scale",
)  # fmt: skip


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, BENCH, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=False)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_at_a_tiny_size(section: str) -> None:
    done = bench("--tiny", section)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if re.search(r"\d (x|s|ms|us|bytes|MiB)|\d/s|not (measured|known)", line)]
    assert len(rows) >= 2, done.stdout
    assert max(map(len, rows)) <= 150


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


def test_a_section_of_the_table_is_renewed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    rows = importlib.import_module("rows")
    text = rows.renewed((BENCH / "README.md").read_text(encoding="utf-8"), "head\n\nOne\n  a 1\n\nTwo\n  b 2")
    once = rows.renewed_section(text, "One", "today", ["  a 3"])
    assert "head\n\nOne (today)\n  a 3\n\nTwo\n  b 2\n```\n" in once
    assert "One (now)\n  a 4\n\nTwo\n  b 2\n\nThree (now)\n  c 5\n```\n" in rows.renewed_section(
        rows.renewed_section(once, "One", "now", ["  a 4"]), "Three", "now", ["  c 5"]
    )


class Stalling:
    """Work of a microsecond a unit on a clock of its own, which stands still for a second in its first calls."""

    def __init__(self, stalls: int) -> None:
        self.now, self.calls, self.stalls = 0.0, 0, stalls

    def __call__(self, units: int) -> None:
        self.now += units * 1e-6 + (1 if self.calls < self.stalls else 0)
        self.calls += 1


@pytest.mark.parametrize(("stalls", "refused"), [(0, False), (1, False), (2, True)])
def test_no_row_rests_on_a_stalled_slice(stalls: int, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    pairs, scale = importlib.import_module("pairs"), importlib.import_module("scale")
    work = Stalling(stalls)
    monkeypatch.setattr(pairs, "processor_s", lambda: work.now)
    found = pairs.paired(work, work, scale.FULL)
    assert bool(found.speed.refused) == refused
    assert refused or (found.speed.low, found.speed.middle, found.speed.high) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize(
    ("value", "least", "said"),
    [(8, True, "yes"), (7.5, True, "tie"), (7.3, True, "NO"), (8, False, "yes"), (8.5, False, "tie"), (9, False, "NO"), (0, False, "yes"), (-1, False, "yes")],
)  # fmt: skip
def test_goals(value: float, least: bool, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    assert importlib.import_module("rows").Goal("G", 8, least).holds(value) == said
