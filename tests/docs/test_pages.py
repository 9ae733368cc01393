"""The pages of the documentation: `routesim docs` finds each and every part of it, and what is made of tables is current.

UPDATE_DOCS=1 writes the page of all errors, `routesim/docs/errors.md`, anew.
"""

import os
import re

import pytest
from kits import error_page
from kits.cli import columns_of, on_terminal, routesim, sane, within
from kits.documents import DOCS
from kits.paths import ALL_SCENARIO_FILES, SCENARIOS

from routesim.explain.pages import documents
from routesim.narration import NARRATION

TOPICS = documents.topics()


def test_every_page_is_in_the_list_and_has_a_title() -> None:
    listed = re.findall(r"\]\(([\w/]+)\.md\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert sorted(name.removesuffix("/README") for name in listed) == sorted(TOPICS)
    assert all(documents.part(topic).text.startswith("# ") for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_part_can_be_asked_for(topic: str) -> None:
    known = documents.anchors(topic)
    assert known
    for anchor in known:
        part = documents.part(f"{topic}#{anchor}")
        assert part.text.strip()
        assert '<a id="' not in re.sub(r"`[^`]*`", "", documents.readable(part))
        assert "](" not in documents.readable(part)


def test_the_page_of_all_errors_is_current() -> None:
    path = DOCS / "errors.md"
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(error_page.page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == error_page.page()


def test_every_event_is_on_the_page_about_traces() -> None:
    text = documents.part("trace#events").text
    labels = {words.label for words in NARRATION.values() if isinstance(words.label, str)} - {"sent"}  # which has no row
    assert {label for label in labels if f"**{label}**" not in text} == set()


def test_a_word_is_one_screen() -> None:
    for word in documents.anchors("words"):
        part = documents.part(f"words#{word}")
        if part.text.startswith("###"):
            assert len(documents.readable(part).splitlines()) <= 20, word
            assert "$ routesim run scenarios/" in part.text, word


def test_every_scenario_is_listed() -> None:
    """In the README of its folder."""
    for path in [*ALL_SCENARIO_FILES, *SCENARIOS.rglob("*.json")]:
        assert f"]({path.name})" in (path.parent / "README.md").read_text(encoding="utf-8"), path
    steps = re.findall(r"^\d+\. \[", (SCENARIOS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(steps) == 10


def test_words() -> None:
    """Each, and other names of some, is explained by itself; a command of that name stays one as soon as more is said."""
    assert {"ack", "prefetch", "dead-letter", "confirm", "trace"} <= set(documents.words())
    for word in (*documents.words(), "DELIVERY_LIMIT", "cycle cut", "acks_late"):
        done = sane(within("explain", word))
        assert (done.status, done.err) == (0, "")
        assert done.out == documents.readable(documents.part(documents.place_of_word(word) or ""))
    assert sane(within("explain", "topic", "a.b")).out.startswith("a.b is 2 words")
    assert sane(within("explain", "queue", "scenarios/shoes.yaml")).err.startswith("error: routesim explain queue needs NAME")


def test_the_rare_types_of_exchanges_are_one_command_and_their_own() -> None:
    for kind, bindings in (("x-consistent-hash", ["red=1", "blue=3"]), ("x-random", ["a.b"]), ("direct", ["a", "b"])):
        one, other = (sane(within("explain", *before, kind, "a", *bindings)) for before in (["exchange"], []))
        assert one == other
        assert one.status == 0
    both = [sane(within("explain", *words, "-H", "a=1", "x-match=any,a=1")) for words in (["headers"], ["exchange", "headers"])]
    assert both[0] == both[1]
    shown = sane(within("explain", "--help")).out
    assert "x-modulus-hash" not in shown
    assert "exchange" in shown


# The command -------------------------------------------------------------------------------------------------------------


def said(*arguments: str, status: int = 0) -> str:
    done = sane(within("docs", *arguments))
    assert (done.status, done.err if not status else done.out) == (status, "")
    return done.err if status == 2 else done.out


def test_the_list_of_pages() -> None:
    text = said()
    assert text == documents.readable(documents.part(""))
    assert "- tutorial: from an empty folder" in text


@pytest.mark.parametrize("asked", ["rules/queues#2.3", "queues#2.3", "rules/queues.md#2.3", "RULES/queues#2.3"])
def test_one_rule_alone(asked: str) -> None:
    text = said(asked)
    assert text.startswith("### 2.3 redelivered\n\nIt is true exactly if the message has left the queue")
    assert "### 2.4" not in text
    assert "(docs rules/routing#D22)" in text


def test_an_item_and_a_row_alone() -> None:
    assert said("rules/queues#S12").splitlines() == [
        "- **S12** `reject-publish-dlx` is accepted on a QQ and silently acts as **drop-head**. 6.5", "  [live 3.10.8]",
    ]  # fmt: skip
    row = next(name for name in documents.anchors("rules/celery") if documents.part(f"rules/celery#{name}").text.startswith("|"))
    lines = said(f"rules/celery#{row}").splitlines()
    assert len(lines) == 3
    assert set(lines[1]) <= set("|- :")


def test_a_heading_by_its_address() -> None:
    assert said("trace#the-ledger").startswith("## The ledger\n\nNothing is lost silently")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("tutoral", "error: there is no page 'tutoral'; did you mean 'tutorial'?"),
        ("queue", "error: there is no page 'queue'; did you mean 'queues'?"),
        ("nonsense", "error: there is no page 'nonsense'; there are broker, celery,"),
        ("trace#exit-statu", "error: the page 'trace' has no part 'exit-statu'; did you mean 'exit-status'?"),
        ("upgrade#zzz", "error: the page 'upgrade' has no part 'zzz'; its parts are before-an-upgrade-of-rabbitmq"),
        ("../../README", "error: there is no page '../../README';"),
    ],
)
def test_what_there_is_not(asked: str, error: str) -> None:
    assert said(asked, status=2).startswith(error)


def test_search() -> None:
    text = said("--search", "Delivery-Limit")
    assert text.startswith("'Delivery-Limit': ")
    assert re.search(r"^  words#delivery-limit +", text, re.MULTILINE)
    places = re.findall(r"^  (\S+#\S+)  ", text, re.MULTILINE)
    assert len(places) == len(set(places)) > 5
    for place in places:
        documents.part(place)
    assert "rules/" not in said("scenario", "--search", "never")


def test_a_word_that_stands_nowhere_is_status_1() -> None:
    done = sane(within("docs", "--search", "xyzzyx"))
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("'xyzzyx': in no page")
    assert sane(within("docs", "--search", " ")).err == "error: --search needs a word\n"


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("asked", ["", "trace", "words#ack", "rules/queues#2.3"])
def test_on_a_terminal_it_is_drawn(asked: str, columns: int) -> None:
    screen = on_terminal("docs", *([asked] if asked else []), columns=columns)
    assert screen.status == 0
    prose = [line for line in screen.lines if not line.startswith("  ")]  # code stays as it is
    assert max(map(columns_of, prose)) <= columns
    assert not any(line.startswith(("#", "```")) or "**" in line for line in prose)
    assert "\x1b[1" in screen.text


def test_a_code_page_without_the_signs_of_the_pages() -> None:
    done = routesim("docs", "trace", PYTHONIOENCODING="ascii")
    assert (done.status, done.err) == (0, "")
    assert "warehouse -> packer" in done.out


def test_no_page_is_read_until_it_is_asked_for() -> None:
    """Neither at start-up nor for the list of commands, and the drawing of Markdown only on a terminal."""
    import subprocess
    import sys

    program = """
import builtins, io, sys
from routesim.cli.main import _status
opened = []
real = io.open
def noted(file, *rest, **more):
    opened.append(str(file))
    return real(file, *rest, **more)
io.open = builtins.open = noted
_status(["--help"]); _status(["run", "scenarios/hello.yaml", "-q"]); _status(["docs", "--help"])
assert not [name for name in opened if name.endswith(".md")], opened
assert "routesim.explain.pages.documents" not in sys.modules
_status(["docs", "words#ack"])
assert "rich.markdown" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", cwd=DOCS.parents[1], check=False
    )
    assert done.returncode == 0, done.stderr
