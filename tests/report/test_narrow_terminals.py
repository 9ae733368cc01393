"""At 80 and 60 columns nothing breaks in mid-word that has parts, ids push nothing, and carets stand under their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routesim.diagnostics import Diagnostic, Invalid
from routesim.report.formats.diagnostics import full
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.text import width, wrapped

LONG = """
queues: {shipping: }
consumers: {packer: {queue: shipping}}
steps:
  - publish: {routing_key: shipping, id: orders.tasks.send_receipt-2026-01-01-000017}
"""
MISTAKE = (
    "queues: {shipping.orders.europe.express.with.a.long.name: {type: quorum, arguments: {x-message-ttl: 5000}, durabel: true}}\n"
)


def problem() -> Diagnostic:
    with pytest.raises(Invalid) as caught:
        load_source(Source("shop.yaml", MISTAKE), "")
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_caret_stands_under_its_place(columns: int) -> None:
    lines = full(problem(), colour=False, columns=columns).splitlines()
    assert max(map(width, lines)) < columns
    source, caret = next((lines[at - 1], line) for at, line in enumerate(lines) if "^" in line)
    assert source[caret.index("^") : caret.rindex("^") + 1] == "durabel"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_message_is_wrapped_at_blanks(columns: int) -> None:
    item = Diagnostic("error", "test", " ".join(["transient_nonexcl_queues"] * 12), cure=" ".join(["deprecated"] * 20))
    lines = full(item, colour=False, columns=columns).splitlines()
    assert max(map(width, lines)) < columns
    words = {word for line in lines for word in line.split()}
    assert words == {"error[test]:", "transient_nonexcl_queues", "=", "help:", "deprecated"}
    assert full(item, colour=False).count("\n") == 2  # in a pipe nothing is


def test_a_long_name_is_broken_behind_its_parts() -> None:
    assert wrapped("orders.tasks.send_receipt", 20) == ["orders.tasks.send_", "receipt"]
    assert wrapped("x" * 10 + " " + "y" * 30, 20) == ["x" * 10, "y" * 20, "y" * 10]


@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=80), st.integers(8, 40))
def test_wrapping_loses_nothing(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= columns for line in lines)
