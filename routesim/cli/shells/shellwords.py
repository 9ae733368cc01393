"""Words as shells write them: what a line means so far, and how any text is written so that a shell runs nothing in it."""

import re

from routesim.named_tuples import NamedTuple

PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")
IN_DOUBLE = frozenset('"\\$`')  # what a backslash takes the meaning of, between double quotes
BLANK = " \t"
ENDS_COMMAND = frozenset(";|&()<>\n")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


class ShellLine(NamedTuple):
    """A line up to the cursor. `words` are complete, without quotes; `word` is the one at the cursor.
    `kept`: the part of it that readline leaves as it is. `quote`: the quote that is open, or an empty text.
    `expands`: the shell would put something else for a part of the word."""

    words: list[str]
    word: str
    kept: str
    quote: str
    expands: bool


def parsed(text: str, breaks: str = "") -> ShellLine:
    """What the shell makes of the last command in `text`, without ever expanding anything.

    `breaks`: the signs behind which readline begins a new word within a word, such as `:` and `=`.
    """
    words: list[str] = []
    word, quote, expands, begun = "", "", False, False
    kept = before_quote = 0
    index = 0
    while index < len(text):
        letter = text[index]
        if not quote and (letter in BLANK or letter in ENDS_COMMAND):
            words = [] if letter in ENDS_COMMAND else [*words, word] if begun else words
            word, begun, expands, kept = "", False, False, 0
            index += 1
            continue
        begun = True
        if quote == "'":
            quote, word = ("", word) if letter == "'" else (quote, word + letter)
        elif letter == "\\" and index + 1 < len(text) and (not quote or text[index + 1] in IN_DOUBLE):
            index += 1
            word += text[index]
        elif not quote and text.startswith("$'", index):
            before_quote = len(word)
            inner, index = _ansi(text, index + 2)
            quote, word = "" if index < len(text) else "$'", word + inner
        elif letter in ('"', "'") and quote in ("", letter):
            before_quote = len(word)
            quote = "" if quote else letter
        else:
            expands = expands or letter in "$`" or (not quote and letter in "*?[{")
            word += letter
            kept = len(word) if not quote and letter in breaks else kept
        index += 1
    while words and ASSIGNMENT.match(words[0]):
        del words[0]
    return ShellLine(words, word, word[: before_quote if quote else kept], quote, expands)


def _ansi(text: str, index: int) -> tuple[str, int]:
    """The text of a `$'…'` from `index` on, and where its closing quote stands."""
    shown = bytearray()
    named = {"n": b"\n", "t": b"\t", "r": b"\r", "e": b"\x1b", "a": b"\a", "b": b"\b", "0": b"\0"}
    while index < len(text) and text[index] != "'":
        if text[index] == "\\" and index + 1 < len(text):
            index += 1
            digits = re.match(r"x([0-9a-fA-F]{1,2})", text[index:])
            shown += bytes([int(digits[1], 16)]) if digits else named.get(text[index], text[index].encode())
            index += len(digits[0]) - 1 if digits else 0
        else:
            shown += text[index].encode("utf-8", "surrogateescape")
        index += 1
    return shown.decode("utf-8", "surrogateescape"), index


def quoted(text: str, quote: str = "") -> str:
    """`text` so that a shell reads it as it is, with nothing in it that a terminal would act on or hide.

    `quote`: the quote that stands open before it, and is open after it too.
    """
    return "".join(_quoted(letter, quote) for letter in text)


def _quoted(letter: str, quote: str) -> str:
    if not letter.isprintable():
        bytes_ = "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
        return bytes_ if quote == "$'" else f"{quote}$'{bytes_}'{quote}"
    if letter in PLAIN or not letter.isascii():
        return letter
    if quote == "'":
        return "'\\''" if letter == "'" else letter
    if quote == '"':
        # The history of commands looks between double quotes too.
        return "\"'!'\"" if letter == "!" else f"\\{letter}" if letter in IN_DOUBLE else letter
    if quote == "$'":
        return f"\\{letter}" if letter in "'\\" else letter
    return f"\\{letter}"
