"""One trace in every format, kept as a file. UPDATE_GOLDENS=1 writes them anew; look at the difference before keeping it."""

import json
import os
from pathlib import Path

import pytest
from cli_kit import SHOES, routesim

GOLDENS = Path(__file__).parent / "goldens"
UPDATE = os.environ.get("UPDATE_GOLDENS") == "1"
FORMATS = {
    "table": "shoes.table.txt", "plain": "shoes.plain.txt", "json": "shoes.json", "ndjson": "shoes.ndjson", "junit": "shoes.junit.xml",
    "github": "shoes.github.txt", "tap": "shoes.tap",
}  # fmt: skip


def printed(format: str) -> str:
    done = routesim("run", SHOES, "--format", format, COLUMNS="100", NO_COLOR="1")
    assert (done.status, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize("format", FORMATS)
def test_shoes(format: str) -> None:
    path = GOLDENS / FORMATS[format]
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(printed(format), encoding="utf-8")
    assert printed(format) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_run_is_the_same_bytes(format: str) -> None:
    assert printed(format) == printed(format)


def test_the_goldens_are_what_the_scenario_promises() -> None:
    """So that a wrong run cannot become a golden unseen."""
    result = json.loads((GOLDENS / FORMATS["json"]).read_text(encoding="utf-8"))
    assert {name: [item["message"] for item in queue["ready"]] for name, queue in result["queues"].items()} == {
        "warehouse": [], "audit": ["m1", "m2"], "unrouted": ["m4"], "parked": ["m3"],
    }  # fmt: skip
    assert [(item["message"], item["answer"]) for item in result["consumers"]["packer"]["deliveries"]] == [
        ("m1", "requeue"), ("m1", "ack"), ("m3", "reject"), ("m2", "requeue"), ("m2", "ack"),
    ]  # fmt: skip
    events = [json.loads(line) for line in (GOLDENS / FORMATS["ndjson"]).read_text(encoding="utf-8").splitlines()]
    assert events == result["events"]
    for name in ("table", "plain"):
        text = (GOLDENS / FORMATS[name]).read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert max(len(line) for line in text.splitlines()) <= 120
