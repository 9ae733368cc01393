"""`routesim diff` on the command line."""

import json
from pathlib import Path

from kits.cli import SHOES, routesim, sane
from kits.paths import ROOT


def test_statuses_and_formats(tmp_path: Path) -> None:
    assert sane(routesim("diff", SHOES, SHOES)).status == 0
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / SHOES).read_text(encoding="utf-8").replace("ship.*}", "'ship.#'}"), encoding="utf-8")
    done = sane(routesim("diff", SHOES, str(other)))
    assert done.status == 1
    assert "gains warehouse" in done.out
    data = json.loads(routesim("diff", SHOES, str(other), "--format", "json").out)
    assert not data["same"]
    assert all(item["exchange"] == "shop" for item in data["vhosts"][0]["routing"])
    assert sane(routesim("diff", SHOES, "nosuch.yaml")).status == 2
    assert sane(routesim("diff", "-", "-")).status == 2
