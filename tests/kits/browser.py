"""A headless Chromium for the tests of pages: there, or the reason why they are skipped (an error where it is required)."""

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@functools.cache
def _programs() -> tuple[str, str] | str:
    """Chromium and its driver, or what is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        return f"needs {'chromium' if browser is None else 'chromedriver'} (Debian: apt-get install chromium chromium-driver)"
    return browser, driver


def programs() -> tuple[str, str]:
    found = _programs()
    if isinstance(found, str):
        if os.environ.get("ROUTESIM_REQUIRE_BROWSER"):
            pytest.fail(f"a browser is required: it {found}")
        pytest.skip(found)
    return found


class Browser:
    """A browser with a profile of its own, which is gone with it."""

    def __init__(self) -> None:
        program, driver = programs()
        self.profile = tempfile.mkdtemp(prefix="routesim-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))

    def quit(self) -> None:
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(
        self, path: Path, *, width: int = 1280, height: int = 900, script: bool = True, calm: bool = True, dark: bool = False,
        at: str = "",
    ) -> None:  # fmt: skip
        """A page in a window of this size; `calm`: nothing moves; `at`: the address of a place in it."""
        self.command("Emulation.setScriptExecutionDisabled", value=not script)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        features = {"prefers-reduced-motion": "reduce" if calm else "", "prefers-color-scheme": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()])
        self.driver.get("about:blank")  # another place in the same page would not be another page
        self.messages()
        self.requests()
        self.driver.get(path.as_uri() + at)

    def command(self, name: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, arguments)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def messages(self) -> list[str]:
        """What the console has said since the last question; violations of the policy are among it."""
        return [item["message"] for item in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses asked for since the last question."""
        told = [json.loads(item["message"])["message"] for item in self.driver.get_log("performance")]
        return [item["params"]["request"]["url"] for item in told if item["method"] == "Network.requestWillBeSent"]

    def press(self, *keys: str, on: str | None = None, shift: bool = False) -> None:
        if on is not None:
            self.js("document.querySelector(arguments[0]).focus()", on)
        for key in keys:
            actions = ActionChains(self.driver)
            if shift:
                actions.key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()
            else:
                actions.send_keys(key).perform()

    def click(self, selector: str) -> None:
        found = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.js("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()

    def texts(self, selector: str) -> list[str]:
        return [item.text for item in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    # The page's player ---------------------------------------------------------------------------------------------------

    def position(self) -> int:
        return int(self.js("return document.querySelector('.run:not([hidden]) .slider').value"))

    def last(self) -> int:
        return int(self.js("return document.querySelector('.run:not([hidden]) .slider').max"))

    def title(self, wanted: str) -> str:
        """The page's title, once it is the one that is wanted, or after two seconds: another address is told to a page in its
        own time."""
        for _ in range(40):
            if self.js("return document.title") == wanted:
                break
            self.driver.execute_async_script("setTimeout(arguments[0], 50)")
        return str(self.js("return document.title"))

    def slide(self, to: int) -> None:
        self.js(
            "const s = document.querySelector('.run:not([hidden]) .slider'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'))",
            to,
        )  # fmt: skip

    def held(self) -> Sequence[str]:
        """What each node of the drawing says that it holds; empty for an exchange."""
        return self.js(  # type: ignore[no-any-return]
            "return [...document.querySelectorAll('.run:not([hidden]) .variant:not([hidden]) .node')].map(n => n.querySelector('.held')?.textContent ?? '')"
        )
