"""Single keys from the console of Windows."""

import msvcrt
import os
import shutil
import sys
import time

from routesim.cli.terminal.keys import GONE, RESIZED

EVERY_S = 0.05  # the console does not tell of a new size: it is looked at so often
AFTER_PREFIX = {
    "H": "up", "P": "down", "K": "left", "M": "right", "G": "home", "O": "end", "I": "page up", "Q": "page down",
}  # fmt: skip
NAMED = {"\r": "enter", "\n": "enter", "\x1b": "escape", "\x08": "backspace", "\x04": GONE, "\x1a": GONE}


class WindowsKeyboard:
    def __init__(self) -> None:
        self.size = shutil.get_terminal_size()

    def open(self) -> None:
        os.system("")  # from here on the console acts on escape sequences

    def close(self) -> None:
        """Nothing was changed."""

    def key(self) -> str:
        if sys.platform != "win32":
            raise NotImplementedError("only Windows has such a console")
        while not msvcrt.kbhit():
            time.sleep(EVERY_S)
            size = shutil.get_terminal_size()
            if size != self.size:
                self.size = size
                return RESIZED
        character = msvcrt.getwch()
        if character == "\x03":
            raise KeyboardInterrupt
        if character in ("\0", "\xe0"):
            return AFTER_PREFIX.get(msvcrt.getwch(), "")
        return NAMED.get(character, character)
