"""Keys of the console of Windows, by the codes that it gives: the console itself is stood in for."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest


class Console(ModuleType):
    """What `msvcrt` is: `typed` comes character by character; what is empty keeps the reader waiting once."""

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.typed: list[str] = []

    def kbhit(self) -> bool:
        if self.typed and not self.typed[0]:
            del self.typed[0]
            return False
        return bool(self.typed)

    def getwch(self) -> str:
        return self.typed.pop(0)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Console, Any]]:
    console = Console()
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    module = importlib.import_module("routesim.cli.terminal.windows_keys")
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    monkeypatch.setattr(sys, "platform", "win32")
    try:
        yield console, module
    finally:
        del sys.modules["routesim.cli.terminal.windows_keys"]


@pytest.mark.parametrize(("typed", "key"), [
    ("n", "n"), ("?", "?"), ("ü", "ü"), ("\r", "enter"), ("\x1b", "escape"), ("\x08", "backspace"), ("\x04", "gone"), ("\x1a", "gone"),
    ("\xe0H", "up"), ("\xe0P", "down"), ("\xe0K", "left"), ("\0M", "right"), ("\xe0G", "home"), ("\0O", "end"), ("\xe0I", "page up"),
    ("\0Q", "page down"), ("\xe0\x86", ""),
])  # fmt: skip
def test_a_key(console: tuple[Console, Any], typed: str, key: str) -> None:
    keys, module = console
    keys.typed = ["", *typed, "x"]  # nothing at first, and another key behind it
    keyboard = module.WindowsKeyboard()
    assert [keyboard.key(), keyboard.key()] == [key, "x"]


def test_ctrl_c_and_a_new_size(console: tuple[Console, Any]) -> None:
    keys, module = console
    keyboard = module.WindowsKeyboard()
    keyboard.size = (1, 1)
    keys.typed = ["", "n", "\x03"]
    assert [keyboard.key(), keyboard.key()] == ["resized", "n"]
    with pytest.raises(KeyboardInterrupt):
        keyboard.key()
