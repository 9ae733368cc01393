"""`run --watch --format html`: the page beside the editor is renewed at every save."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.browser import Browser
from kits.cli import COMMAND, environment, within

LIMIT_S = 30.0
SHOP = "queues: {orders: {}}\nsteps: [{publish: {routing_key: orders, count: 2}}]\nexpect: {queues: {orders: {ready: 2}}}\n"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[str]:
    """The address of the page of shop.yaml there."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    process = subprocess.Popen(
        [*COMMAND, "run", "shop.yaml", "--watch", "--format", "html"], cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        assert found, line
        yield found[0]
    finally:
        process.kill()
        process.communicate()


def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def verdicts(browser: Browser) -> list[str]:
    return list(browser.js("return [...document.querySelectorAll('.verdict')].map(found => found.textContent)"))


def test_the_page_shows_each_version_of_the_file(browser: Browser, watched: str, tmp_path: Path) -> None:
    browser.driver.get("about:blank")
    browser.messages()
    browser.driver.get(watched)
    until(lambda: verdicts(browser) == ["✔ OK"])
    (tmp_path / "shop.yaml").write_text(SHOP.replace("ready: 2", "ready: 3"))
    until(lambda: verdicts(browser) == ["✘ FAILED"])
    (tmp_path / "shop.yaml").write_text("queues: [")
    until(lambda: verdicts(browser) == ["✘ REFUSED"])
    (tmp_path / "shop.yaml").write_text(SHOP)
    until(lambda: verdicts(browser) == ["✔ OK"])
    assert browser.messages() == []


def test_another_format_is_refused_as_before(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    done = within("run", "shop.yaml", "--watch", "--format", "json", cwd=tmp_path)
    assert done.status == 2
    assert "leave out --format json" in done.err
