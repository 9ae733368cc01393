"""`routesim graph` on the command line."""

from pathlib import Path

import pytest
from kits.cli import SHOES, routesim, sane


def test_formats_and_files(tmp_path: Path) -> None:
    target = tmp_path / "shoes.svg"
    assert sane(routesim("graph", SHOES, "--format", "svg", "--output", str(target))).status == 0
    assert target.read_text(encoding="utf-8").startswith("<svg ")
    assert "flowchart LR" in routesim("graph", SHOES, "-f", "mermaid").out
    assert "->" in sane(routesim("graph", SHOES, PYTHONIOENCODING="cp1252")).out


def test_a_marked_way_and_a_focus() -> None:
    assert "✔ ship.*" in routesim("graph", SHOES, "--exchange", "shop", "--key", "ship.eu").out
    near = sane(routesim("graph", SHOES, "--focus", "parked")).out
    assert "warehouse" not in near
    assert "more nodes are further away" in near
    assert "…" in routesim("graph", SHOES, "--depth", "1").out


@pytest.mark.parametrize("wrong", [
    ("--format", "png"), ("--message", "nobody"), ("--focus", "nothing"), ("--exchange", "nosuch"), ("--message", "m1", "--exchange", "shop"),
])  # fmt: skip
def test_what_is_not_understood(wrong: tuple[str, ...]) -> None:
    done = sane(routesim("graph", SHOES, *wrong))
    assert done.status == 2
    assert done.err.startswith("error: ")
