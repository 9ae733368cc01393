"""On terminals of any width and in any code page: nothing longer than the screen, nothing lost, nothing that fails."""

import re
from pathlib import Path

import pytest
from kits.cli import ANSI, SHOES, Screen, columns_of, on_terminal, routesim, sane, words

from routesim.report.trace.short_names import TITLE

WIDTHS = (40, 80, 100, 200)
REASONS = """
name: Reasons of every kind, and names that are long enough to need more than one line of a narrow terminal
rabbitmq: "4.1"
exchanges: {shop.orders: topic, shop.dead-letters: fanout}
queues:
  warehouse.incoming: {arguments: {x-dead-letter-exchange: shop.dead-letters}}
  brief: {arguments: {x-message-ttl: 50}}
  short: {arguments: {x-max-length: 1}}
  full: {arguments: {x-max-length: 0, x-overflow: reject-publish}}
  parked.after.rejection: {type: quorum}
bindings:
  - {source: shop.orders, destination: warehouse.incoming, routing_key: order.*.created}
  - {source: shop.orders, destination: brief, routing_key: never.matches}
  - {source: shop.dead-letters, destination: parked.after.rejection}
consumers:
  packer.number.one: {queue: warehouse.incoming, prefetch: 1, takes: 10ms, on_message: [{attempt: 1, do: requeue}, {do: reject}]}
  idle: {queue: full}
steps:
  - publish: {exchange: shop.orders, routing_key: order.7.created, id: order-7-created-by-the-shop}
  - publish: {exchange: shop.orders, routing_key: nobody.wants.this}
  - publish: {exchange: shop.orders, routing_key: nobody.wants.this, mandatory: true}
  - publish: {routing_key: brief}
  - publish: {routing_key: short, count: 2}
  - publish: {routing_key: full}
  - {publish: {exchange: gone.exchange}, fails: 404}
  - wait: 1s
expect:
  queues: {parked.after.rejection: {ready: 7}}
"""
MUST_APPEAR = [
    "order-7-created-by-the-shop", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "warehouse.incoming", "brief", "short", "full", "parked.after.rejection",
    "packer.number.one", "idle", "shop.orders", "shop.dead-letters", "order.7.created", "nobody.wants.this", "rejected", "expired", "maxlen", "REDELIVERED",
    "returned", "NOT_FOUND-noexchange'gone.exchange'invhost'/'", "nomessagematched", "never.matches", "butis1", "FAILED", "UNROUTABLE",
    f"line{REASONS.split(chr(10)).index('  queues: {parked.after.rejection: {ready: 7}}') + 1}",
]  # fmt: skip


@pytest.fixture
def reasons(tmp_path: Path) -> Path:
    (tmp_path / "reasons.yaml").write_text(REASONS)
    return tmp_path


def fits(screen: Screen, columns: int) -> None:
    for line in screen.lines:
        assert columns_of(line) <= columns, line


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_is_longer_than_the_terminal(reasons: Path, columns: int) -> None:
    fits(on_terminal("run", "reasons.yaml", columns=columns, cwd=reasons), columns)
    fits(on_terminal("run", SHOES, columns=columns), columns)


@pytest.mark.parametrize("columns", [57, 79, 120])
def test_odd_widths(reasons: Path, columns: int) -> None:
    screen = on_terminal("run", "reasons.yaml", columns=columns, cwd=reasons)
    assert screen.status == 1
    fits(screen, columns)


@pytest.mark.parametrize("columns", WIDTHS)
def test_nothing_is_lost(reasons: Path, columns: int) -> None:
    """Whatever the width, every message, queue, consumer and reason is there; a word may be broken, a name of the trace
    shortened where it is listed in full below, and nothing is cut."""
    screen = on_terminal("run", "reasons.yaml", columns=columns, cwd=reasons)
    assert screen.status == 1
    missing = [text for text in MUST_APPEAR if not _found(text, screen)]
    assert missing == []
    above, _, below = screen.text.partition(TITLE)
    assert {word for word in above.split() if "…" in word} <= {word for word in below.split() if "…" in word}


def _found(text: str, screen: Screen) -> bool:
    """In one piece once the gaps of wrapping are gone, or, folded within a column, letter after letter down that column."""
    wanted = text.replace(" ", "")
    if wanted in words(screen.lines):
        return True
    return _folded(wanted, screen.lines)


def _folded(wanted: str, lines: list[str]) -> bool:
    """The text broken over lines at one column of a table."""
    for index, line in enumerate(lines):
        for match in re.finditer(r"\S+", line):
            piece, at, row = match[0], match.start(), index
            if not wanted.startswith(piece):
                continue
            rest = wanted[len(piece) :]
            while rest and row + 1 < len(lines):
                row += 1
                found = re.match(r"\S+", lines[row][at:])
                if found is None or not rest.startswith(found[0]):
                    break
                rest = rest[len(found[0]) :]
            if not rest:
                return True
    return False


@pytest.mark.parametrize("columns", [40, 80])
def test_the_numbers_of_a_narrow_table_are_all_there(columns: int) -> None:
    """5 deliveries, 2 again, 2 acked, 1 rejected, 2 requeued: also where the terminal is narrow."""
    screen = on_terminal("run", SHOES, columns=columns)
    lines = screen.lines
    start = next(index for index, line in enumerate(lines) if line.startswith("Consumers"))
    end = next(index for index, line in enumerate(lines) if line.startswith("Messages"))
    table = "\n".join(lines[start:end])
    assert sorted(re.findall(r"(?<![\w.])\d+(?![\w.])", table)) == ["1", "2", "2", "2", "5"]
    assert _folded("packer", lines[start:end]) or "packer" in table
    assert _folded("warehouse", lines[start:end]) or "warehouse" in table


def test_at_80_columns_no_name_of_the_shoes_is_broken() -> None:
    screen = on_terminal("run", SHOES, columns=80)
    summary = "\n".join(screen.lines).partition("\nQueues")[2]
    for section in ("Consumers", "Messages", "Ledger"):
        assert section in summary
    consumers = summary.partition("Consumers")[2].partition("Messages")[0]
    for word in ("packer", "warehouse", "delivered", "requeued", "acked", "rejected"):
        assert word in consumers


def test_the_width_may_be_given_by_the_environment() -> None:
    for columns in (40, 120):
        screen = on_terminal("run", SHOES, columns=80, COLUMNS=str(columns))
        fits(screen, columns)
        done = routesim("run", SHOES, "-f", "table", COLUMNS=str(columns))
        assert max(columns_of(line) for line in done.out.splitlines()) <= columns


@pytest.mark.parametrize("columns", ["0", "-5", "x", "1", "100000"])
def test_widths_that_make_no_sense(columns: str) -> None:
    done = sane(routesim("run", SHOES, "-f", "table", COLUMNS=columns))
    assert done.status == 0


def test_plain_is_never_wrapped(reasons: Path) -> None:
    narrow = routesim("run", "reasons.yaml", "-f", "plain", cwd=reasons, COLUMNS="40")
    assert narrow == routesim("run", "reasons.yaml", "-f", "plain", cwd=reasons, COLUMNS="200")
    for text in MUST_APPEAR:
        assert text in words(narrow.out.splitlines())


def test_wide_and_combining_characters_are_counted(tmp_path: Path) -> None:
    names = ["靴" * 8, "👟👟👟", "e\u0301" * 12, "नमस्ते", "👩‍👩‍👧", "a" * 60, "🇩🇪🇫🇷", "❤️❤️"]
    queues = "".join(f'  "{name}":\n' for name in names)
    steps = "".join(f'  - publish: {{routing_key: "{name}", id: "{name}"}}\n' for name in names)
    (tmp_path / "wide.yaml").write_text(f"queues:\n{queues}steps:\n{steps}", encoding="utf-8")
    for columns in (40, 100):
        screen = on_terminal("run", "wide.yaml", columns=columns, cwd=tmp_path)
        assert screen.status == 0
        fits(screen, columns)


def test_diagnostics_on_a_narrow_terminal_are_complete() -> None:
    screen = on_terminal("run", "tests/cli/mistakes.yaml", columns=40)
    assert screen.status == 2
    assert "did you mean" in "\n".join(screen.lines)


# Colour --------------------------------------------------------------------------------------------------------------


def test_colour_on_a_terminal_and_none_where_nobody_wants_it() -> None:
    assert ANSI.search(on_terminal("run", SHOES, columns=100).text)
    assert not ANSI.search(on_terminal("run", SHOES, columns=100, NO_COLOR="1").text)
    assert not ANSI.search(on_terminal("run", SHOES, columns=100, TERM="dumb").text)
    assert not ANSI.search(on_terminal("run", SHOES, columns=100, NO_COLOR="1", FORCE_COLOR="1").text)


def test_an_empty_no_color_does_not_count() -> None:
    """As no-color.org says."""
    assert ANSI.search(on_terminal("run", SHOES, columns=100, NO_COLOR="").text)


def test_colour_carries_no_meaning_alone() -> None:
    coloured, plain = on_terminal("run", SHOES, columns=100), on_terminal("run", SHOES, columns=100, NO_COLOR="1")
    assert coloured.lines == plain.lines


def test_every_colour_is_switched_off_again_in_its_line() -> None:
    for line in on_terminal("run", SHOES, columns=100).text.split("\n"):
        codes = ANSI.findall(line)
        assert not codes or codes[-1] in ("\x1b[0m", "\x1b[m"), line


def test_errors_have_colour_too() -> None:
    assert ANSI.search(on_terminal("run", "tests/cli/mistakes.yaml", columns=100).text)
    assert not ANSI.search(on_terminal("run", "tests/cli/mistakes.yaml", columns=100, NO_COLOR="1").text)


def test_json_on_a_terminal_is_json() -> None:
    import json

    screen = on_terminal("run", SHOES, "-f", "json", columns=40)
    assert json.loads(screen.text)["ok"] is True


# Code pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "format"),
    [
        *((encoding, format) for encoding in ("ascii", "cp1252", "cp932", "utf-16") for format in ("plain", "table")),
        ("ascii:strict", "table"),
        ("ascii", "json"),
        ("cp437", "ndjson"),
    ],
)
def test_no_code_page_makes_it_fail_or_lose_anything(reasons: Path, encoding: str, format: str) -> None:
    done = sane(routesim("run", "reasons.yaml", "-f", format, cwd=reasons, PYTHONIOENCODING=encoding, COLUMNS="200"))
    assert done.status == 1
    shown = words(done.out.splitlines())
    if format in ("plain", "table"):
        for text in MUST_APPEAR:
            assert text in shown, text
    elif format == "json":
        assert done.out == routesim("run", "reasons.yaml", "-f", format, cwd=reasons).out
    assert "?" not in done.out


def test_signs_are_replaced_by_what_looks_like_them() -> None:
    done = routesim("run", SHOES, PYTHONIOENCODING="ascii")
    assert "warehouse -> packer" in done.out
    assert done.out.isascii()
    assert "\\u" not in done.out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_names_that_the_code_page_lacks_are_escaped(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "s.yaml").write_text("queues: {靴箱: }\nsteps: [{publish: {routing_key: 靴箱, id: 👟}}]\n", encoding="utf-8")
    for format in ("plain", "table"):
        done = sane(routesim("run", "s.yaml", "-f", format, cwd=tmp_path, PYTHONIOENCODING=encoding, COLUMNS="120"))
        assert done.status == 0
        assert "\\u9774\\u7bb1" in done.out
        assert "\\U0001f45f" in done.out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_columns_stay_aligned_where_signs_are_replaced(encoding: str) -> None:
    """`→` becomes `->`: the column after it must not move."""
    lines = routesim("run", SHOES, PYTHONIOENCODING=encoding).out.partition("\n\n")[0].splitlines()
    why = lines[0].index("why")
    for line in lines[2:]:
        assert line[why - 1 : why] in (" ", "") or len(line.split()) > 4, line
    delivered = [line.index("tag ") for line in lines if "tag " in line]
    assert len(set(delivered)) == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_carets_stand_where_they_should_in_every_code_page(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "s.yaml").write_text("queues: {é→✔: {typ: x}}\n", encoding="utf-8")
    done = sane(routesim("run", "s.yaml", cwd=tmp_path, PYTHONIOENCODING=encoding))
    lines = done.err.splitlines()
    assert lines[3][lines[4].index("^") :].startswith("typ")


@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_without_unicode(reasons: Path, columns: int) -> None:
    screen = on_terminal("run", "reasons.yaml", columns=columns, cwd=reasons, PYTHONIOENCODING="ascii")
    assert screen.status == 1
    assert "internal error" not in screen.text
    fits(screen, columns)


def test_a_locale_of_the_last_century(reasons: Path) -> None:
    for given in (
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "xx_YY.nonsense"},
    ):
        done = sane(routesim("run", "reasons.yaml", cwd=reasons, **given))
        assert done.status == 1


# What a terminal would act on ----------------------------------------------------------------------------------------

HOSTILE = r"""
name: "\e[31mred\e]0;title\a [bold]markup[/bold] :warning:"
queues:
  "\e[2Jcleared": {arguments: {x-dead-letter-exchange: "\e[1mdlx"}}
  "[red]markup[/red]":
  "\u202eright to left\u202c":
  "return\ttab\0nul\x7f":
  "\u200bzero\u200dwidth\ufeff":
  "\x9b31mC1":
exchanges: {"\e[5mblink": fanout}
bindings:
  - {source: "\e[5mblink", destination: "[red]markup[/red]", routing_key: "\e[7mkey", arguments: {"\e[8m": "\e[9m"}}
consumers:
  "\e[4mreader": {queue: "\e[2Jcleared", on_message: [{do: reject, publish: {routing_key: "\e[44m"}}]}
steps:
  - publish: {routing_key: "\e[2Jcleared", id: "\e[Hid"}
  - publish: {exchange: "\e[5mblink", routing_key: "\e[7mkey", id: "[/]"}
  - publish: {routing_key: "\u202eright to left\u202c", body: "\e[31m"}
  - {publish: {exchange: "\e[45mgone"}, fails: 404}
  - {get: {queue: "\e[46mgone"}, fails: 404}
expect:
  queues: {"[red]markup[/red]": {ready: ["[/]"]}, "\u202eright to left\u202c": {ready: 9}}
  messages: {"\e[Hid": {"\e[2Jcleared": acked}}
"""


@pytest.mark.parametrize("format", ["plain", "table"])
def test_hostile_names_are_shown_escaped(tmp_path: Path, format: str) -> None:
    (tmp_path / "s.yaml").write_text(HOSTILE, encoding="utf-8")
    done = sane(routesim("run", "s.yaml", "-f", format, cwd=tmp_path, COLUMNS="200"))
    assert done.status == 1
    for stream in (done.out, done.err):
        for character in stream:
            assert character == "\n" or (character.isprintable() and character not in "\u202e\u202c\u200b\u200d\ufeff"), repr(
                character
            )
    for text in (
        "\\x1b[2Jcleared",
        "[red]markup[/red]",
        "\\u202eright to left",
        "return\\ttab\\0nul\\x7f",
        "\\x1b[Hid",
        "[/]",
        "\\x1b[31mred",
        "[bold]markup[/bold]",
        ":warning:",
    ):
        assert text in done.out, text


def test_hostile_names_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HOSTILE, encoding="utf-8")
    screen = on_terminal("run", "s.yaml", columns=100, cwd=tmp_path, NO_COLOR="1")
    assert "\x1b" not in screen.text
    assert "\x9b" not in screen.text
    assert "\u202e" not in screen.text
    coloured = on_terminal("run", "s.yaml", columns=100, cwd=tmp_path)
    assert set(ANSI.findall(coloured.text)) <= {code for code in ANSI.findall(coloured.text) if code.endswith("m")}
    assert "\x1b[2J" not in coloured.text
    assert "\x1b[5m" not in coloured.text
    assert "\x1b]" not in coloured.text


def test_hostile_names_in_errors(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        '"\\e[31mkey": 1\nqueues: {"\\e[2J": {"\\e]0;x\\a": 1}}\nsteps:\n  - "\\e[5m": x\n  - publish: {exchange: "\\u202ex"}\nrabbitmq: "\\e[7m"\nuntil: "\\e[8m"\n'
    )
    done = sane(routesim("run", "s.yaml", cwd=tmp_path))
    assert done.status == 2
    assert all(character == "\n" or character.isprintable() for character in done.err)
    screen = on_terminal("run", "s.yaml", columns=100, cwd=tmp_path, NO_COLOR="1")
    assert "\x1b" not in screen.text


def test_hostile_arguments(tmp_path: Path) -> None:
    for arguments in (
        ("\x1b[31m",),
        ("run", "s.yaml", "--format", "\x1b[31m"),
        ("run", "\x1b[31m.yaml"),
        ("run", "x", "--until", "\x1b[2J"),
        ("run", "x", "--\x1b[31m"),
        ("run", SHOES, "-o", "no/\x1b[31m"),
    ):
        done = sane(routesim(*arguments))
        assert done.status == 2
        assert "\x1b" not in done.err


def test_hostile_names_in_the_progress_line(tmp_path: Path) -> None:
    """A run of some seconds tells on stderr how far it is; its name must be as tame there as everywhere."""
    (tmp_path / "s.yaml").write_text(
        'name: "\\e]0;owned\\a\\e[5mname"\nqueues: {q: }\nconsumers: {c: {queue: q, takes: 1ms, on_message: requeue}}\nsteps: [{publish: {routing_key: q}}]\n'
    )
    screen = on_terminal("run", "s.yaml", "-f", "json", "-o", "out.json", "--max-events", "150000", columns=100, cwd=tmp_path)
    assert "\x1b]0;" not in screen.text
    assert "\x1b[5m" not in screen.text


def test_json_is_ascii_and_so_harmless_by_itself(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HOSTILE, encoding="utf-8")
    for format in ("json", "ndjson"):
        done = routesim("run", "s.yaml", "-f", format, cwd=tmp_path)
        assert done.out.isascii()
        assert all(character == "\n" or character.isprintable() for character in done.out)
