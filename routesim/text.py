"""Text that is safe to show: control characters made visible, widths as a terminal counts them, any code page."""

import re
import unicodedata
from functools import lru_cache
from typing import IO

# What stands in for a sign where the output's encoding lacks it.
FALLBACKS = {
    "→": "->", "✔": "ok", "✘": "XX", "─": "-", "━": "=", "│": "|", "├": "+", "└": "+", "·": ".", "…": "...", "↳": ">", "×": "x",
    "≥": ">=", "≤": "<=", "—": "-", "–": "-", "•": "*", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┬": "+", "┴": "+", "┼": "+",
    "┤": "+", "█": "#", "■": "#",
}  # fmt: skip
SEPARATORS = "._-/:@,"  # behind which a long name may be broken
NO_COLUMN = ("Mn", "Me", "Cf")  # marks that stand on the character before them
# Latin letters and the signs of a trace: most lines hold nothing else, and need not be looked at letter by letter.
ONE_COLUMN_EACH = re.compile(f"[ -~\xa1-\xac\xae-\u02ff{re.escape(''.join(FALLBACKS))}]*").fullmatch


def visible(text: str) -> str:
    """`text` with everything that a terminal would act on, or hide, written as an escape."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def escaped(character: str) -> str:
    """As Python and YAML write it in double quotes."""
    code = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return named.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}")


def so_many(count: int, things: str) -> str:
    """A number of things, which are named in the plural: "1 state", "2,000 states", "1 course of events"."""
    if count == 1:
        first, of, rest = things.partition(" of ")
        things = first.removesuffix("s") + of + rest
    return f"{count:,} {things}"


def width(text: str) -> int:
    """How many columns a terminal gives the text."""
    return len(text) if text.isascii() else _width(text)


@lru_cache(1_000)
def _width(text: str) -> int:
    if ONE_COLUMN_EACH(text):
        return len(text)
    columns = 0
    for character in text:
        if unicodedata.category(character) not in NO_COLUMN:
            columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return columns


def padded(text: str, columns: int) -> str:
    """`text` and as many spaces as it takes to fill the columns."""
    return text if (missing := columns - width(text)) <= 0 else text + " " * missing


def cut(text: str, columns: int, more: str = "…") -> str:
    """`text`, or as much of it as the columns take with `more` at its end."""
    if width(text) <= columns:
        return text
    return _head(text, columns - len(more)) + more if columns > len(more) else _head(text, columns)


def shortened(text: str, columns: int, more: str = "…") -> str:
    """`text`, or its beginning and its end with `more` between them: names are told apart by both, `orders.ta…d_receipt`."""
    room = columns - len(more)
    if width(text) <= columns:
        return text
    if room < 2:
        return cut(text, columns, more)
    tail = _head(text[::-1], room // 2)[::-1]
    return f"{_head(text, room - width(tail))}{more}{tail}"


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns, broken at spaces where there are any, else within a name behind its dots and dashes;
    nothing is lost."""
    lines, line, room = [], "", max(columns, 8)
    for word in text.split(" "):
        while width(word) > room:
            if line:
                lines.append(line)
                line = ""
            head = _part(_head(word, room), word, room) or word[:1]
            lines.append(head)
            word = word[len(head) :]
        candidate = f"{line} {word}" if line else word
        if line and width(candidate) > room:
            lines.append(line)
            line = word
        else:
            line = candidate
    lines.append(line)
    return lines


def least_width(text: str, *, parts: bool = False) -> int:
    """How many columns it takes for `wrapped` to break the text at blanks alone; `parts`: or within names, behind their parts."""
    if parts:
        text = "".join(f"{character} " if character in SEPARATORS else character for character in text)
    return max(map(width, text.split(" ")))


def _part(head: str, word: str, room: int) -> str:
    """As much of a name as ends behind one of its parts, where that is not too little, or where the part that follows has room
    on a line."""
    end = max(head.rfind(sign) for sign in SEPARATORS) + 1
    if end * 2 >= len(head):
        return head[:end]
    following = min((at for sign in SEPARATORS if (at := word.find(sign, len(head))) >= 0), default=len(word))
    return head[:end] if end and width(word[end:following]) < room else head


def _head(word: str, columns: int) -> str:
    taken, used = 0, 0
    for character in word:
        used += width(character)
        if used > columns:
            break
        taken += 1
    return word[:taken]


def encoding_of(stream: IO[str]) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def fitted(text: str, encoding: str) -> str:
    """`text` with signs that the encoding lacks replaced, so that nothing is lost or fails."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = "".join(FALLBACKS.get(character, character) for character in text)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        pass
    return text
