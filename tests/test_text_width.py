"""How wide a text is: the quick answer for plain lines is that of Unicode's tables for every character."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from routesim.text import FALLBACKS, NO_COLUMN, so_many, width

TRACE = st.text(st.sampled_from([*FALLBACKS, *" aZ09._-é\xad\xa0\u0301漢👍\u200b"]))


def by_tables(text: str) -> int:
    wide = {True: 2, False: 1}
    shown = (character for character in text if unicodedata.category(character) not in NO_COLUMN)
    return sum(wide[unicodedata.east_asian_width(character) in "WF"] for character in shown)


def test_every_character() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x20000)):
        assert width(chr(code)) == by_tables(chr(code)), hex(code)


@given(st.one_of(TRACE, st.text()))
def test_lines(text: str) -> None:
    assert width(text) == by_tables(text)


def test_one_of_what_is_named_in_the_plural() -> None:
    assert [so_many(count, "courses of events") for count in (0, 1, 2_000)] == [
        "0 courses of events", "1 course of events", "2,000 courses of events",
    ]  # fmt: skip
    assert (so_many(1, "ends"), so_many(1, "other moments")) == ("1 end", "1 other moment")
