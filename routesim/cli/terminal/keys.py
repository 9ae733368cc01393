"""What a keyboard is, whichever system it is on."""

from typing import Protocol

RESIZED, GONE = "resized", "gone"


class Keyboard(Protocol):
    """Where keys come from."""

    def open(self) -> None:
        """From now on each key comes at once, unseen."""

    def close(self) -> None:
        """As it was before `open`."""

    def key(self) -> str:
        """The next key: its character, or a name such as `left`, `enter`, `escape`; nothing for one that is not known.
        RESIZED: the screen is to be drawn again; GONE: there will be no more keys."""
