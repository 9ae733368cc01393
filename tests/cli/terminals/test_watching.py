"""Watching: a real process whose files are changed in every way in which editors do it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kits.cli import COMMAND, SHOES, environment, routesim
from kits.screen import sitting

LIMIT_S = 30.0
SHOP = """
queues: {orders: {}, audit: {}}
steps:
  - publish: {routing_key: orders, count: 2}
expect:
  queues: {orders: {ready: 2}}
  lost: 0
"""


class Watched:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self.out = ""

    def until(self, text: str) -> str:
        """What it said since the last time, up to and with that text and the rest of its piece."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + LIMIT_S
        while text not in self.out or not self.out.endswith("\n"):
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.out}"
            assert self.process.poll() is None, self.out
            self.out += (self.process.stdout.read() or b"").decode()
            time.sleep(0.02)
        told, self.out = self.out, ""
        return told

    def silent(self, seconds: float) -> bool:
        assert self.process.stdout is not None
        time.sleep(seconds)
        self.out += (self.process.stdout.read() or b"").decode()
        return not self.out


@contextmanager
def watching(*files: str, cwd: Path) -> Iterator[Watched]:
    process = subprocess.Popen(
        [*COMMAND, "run", *files, "--watch"], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    try:
        yield Watched(process)
    finally:
        process.kill()
        process.communicate()


def put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def put_by_rename(path: Path, text: str) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def put_after_a_gap(path: Path, text: str) -> None:
    path.unlink()
    time.sleep(0.35)
    path.write_text(text, encoding="utf-8")


def put_in_pieces(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for start in range(0, len(text), 40):
            stream.write(text[start : start + 40])
            stream.flush()
            time.sleep(0.05)


@pytest.mark.parametrize("save", [put, put_by_rename, put_after_a_gap, put_in_pieces])
def test_a_saved_scenario_is_run_again_and_what_changed_is_told(tmp_path: Path, save: object) -> None:
    put(tmp_path / "shop.yaml", SHOP)
    with watching("shop.yaml", cwd=tmp_path) as process:
        first = process.until("OK  shop")
        assert "shop.yaml: first run" in first
        save(tmp_path / "shop.yaml", SHOP.replace("count: 2", "count: 3"))  # type: ignore[operator]
        told = process.until("FAILED  shop: 1 of 2")
        assert "shop.yaml: shop.yaml changed" in told
        assert "✘ now fails: queues.orders.ready is 2, but is 3 (line 6)" in told
        assert "queue orders: 2 → 3 ready" in told
        assert "ledger: published 2 → 3, routed 2 → 3, enqueued 2 → 3" in told
        assert "INVALID" not in told
        save(tmp_path / "shop.yaml", "# a line more\n" + SHOP)  # type: ignore[operator]
        told = process.until("OK  shop")
        assert "✔ now holds: queues.orders.ready is 2 (line 7)" in told


def test_an_invalid_scenario_shows_its_diagnostics_and_is_waited_for(tmp_path: Path) -> None:
    shop = tmp_path / "shop.yaml"
    put(shop, SHOP)
    with watching("shop.yaml", cwd=tmp_path) as process:
        process.until("OK  shop")
        put(shop, SHOP.replace("publish:", "publsh:"))
        told = process.until("INVALID  shop.yaml")
        assert "publsh" in told
        assert "shop.yaml:4:5" in told
        assert "did you mean 'publish'?" in told
        put(shop, SHOP.replace("publish:", "publsh:").replace("lost: 0", "lots: 0"))
        told = process.until("INVALID  shop.yaml")
        assert "still: shop.yaml:4:5" in told
        assert "lots" in told
        put(shop, SHOP.replace("orders: {ready: 2}", "orders: {ready: 5}"))
        told = process.until("FAILED  shop")
        assert told.count("✔ mended: error[unknown-step] 'publsh' is no step") == 1
        assert "✘ new, fails: queues.orders.ready is 5, but is 2" in told
        assert "- no longer asked: queues.orders.ready is 2" in told


def test_a_file_that_cannot_be_read_hides_its_mistakes_and_mends_none(tmp_path: Path) -> None:
    shop = tmp_path / "shop.yaml"
    put(shop, SHOP.replace("publish:", "publsh:"))
    with watching("shop.yaml", cwd=tmp_path) as process:
        process.until("INVALID  shop.yaml")
        put(shop, "queues: {q: {\n")
        told = process.until("INVALID  shop.yaml")
        assert "yaml-syntax" in told
        assert "mended" not in told
        put(shop, SHOP)
        assert "✔ mended: error[yaml-syntax]" in process.until("OK  shop")


def test_what_changes_nothing_says_so_and_what_is_not_asked_is_not_watched(tmp_path: Path) -> None:
    put(tmp_path / "shop.yaml", SHOP)
    with watching("shop.yaml", cwd=tmp_path) as process:
        process.until("OK  shop")
        put(tmp_path / "other.yaml", SHOP)
        assert process.silent(0.6)
        put(tmp_path / "shop.yaml", SHOP + "\n# a remark\n")
        assert "nothing in the outcome changed" in process.until("OK  shop")


def test_an_included_file_is_watched_even_before_it_is_there(tmp_path: Path) -> None:
    definitions = {"queues": [{"name": "orders", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}]}
    put(tmp_path / "shop.yaml", "definitions: [defs.json]\nsteps: [{publish: {routing_key: orders}}]\nexpect: {lost: 0}\n")
    with watching("shop.yaml", cwd=tmp_path) as process:
        assert "defs.json" in process.until("INVALID  shop.yaml")
        put(tmp_path / "defs.json", json.dumps(definitions))
        told = process.until("OK  shop")
        assert "defs.json changed" in told
        definitions["queues"][0]["name"] = "other"
        put_by_rename(tmp_path / "defs.json", json.dumps(definitions))
        told = process.until("FAILED  shop")
        assert "✘ now fails: lost is 0, but is 1" in told
        assert "queue other is new" in told
        assert "queue orders is gone" in told
        (tmp_path / "defs.json").unlink()
        assert "defs.json is gone" in process.until("INVALID  shop.yaml")


def test_of_several_only_the_changed_one_is_run_again(tmp_path: Path) -> None:
    put(tmp_path / "one.yaml", SHOP)
    put(tmp_path / "two.yaml", SHOP)
    with watching("one.yaml", "two.yaml", cwd=tmp_path) as process:
        assert "all 2 scenarios: 2 OK" in process.until("all 2")
        put(tmp_path / "two.yaml", SHOP.replace("lost: 0", "lost: 1"))
        told = process.until("all 2 scenarios: 1 OK, 1 FAILED")
        assert "one.yaml" not in told


def test_the_first_run_says_why_it_failed(tmp_path: Path) -> None:
    put(tmp_path / "shop.yaml", SHOP.replace("ready: 2", "ready: 1"))
    with watching("shop.yaml", cwd=tmp_path) as process:
        told = process.until("FAILED  shop")
        assert "found" in told
        assert "because" in told


def test_control_c_ends_it_with_130(tmp_path: Path) -> None:
    put(tmp_path / "shop.yaml", SHOP)
    with watching("shop.yaml", cwd=tmp_path) as process:
        process.until("OK  shop")
        process.process.send_signal(signal.SIGINT)
        assert process.process.wait(timeout=LIMIT_S) == 130


def test_on_a_terminal_it_has_colour_and_ends_at_control_c(tmp_path: Path) -> None:
    put(tmp_path / "shop.yaml", SHOP)
    with sitting("run", "shop.yaml", "--watch", cwd=tmp_path) as screen:
        screen.until("OK  shop")
        assert screen.colours("OK  shop") == {"green"}
        os.write(screen.master, b"\x03")
        assert screen.end() == 130


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-",), "stdin is none"),
        ((SHOES, "--broker", "amqp://localhost"), "leave out --broker"),
        ((SHOES, "--seeds", "1..3"), "leave out --seeds"),
        ((SHOES, "-j", "2"), "leave out --jobs"),
        ((SHOES, "-f", "json"), "leave out --format json"),
        ((SHOES, "-o", "x.txt"), "leave out --output"),
        ((SHOES, "--coverage"), "leave out --coverage"),
    ],
)
def test_what_it_cannot_do_it_says(arguments: tuple[str, ...], why: str) -> None:
    done = routesim("run", *arguments, "--watch")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: --watch")
    assert why in done.err


def test_step_and_watch_are_two_things() -> None:
    done = routesim("run", SHOES, "--step", "--watch")
    assert done.status == 2
    assert "leave out --watch" in done.err
