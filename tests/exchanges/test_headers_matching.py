"""rules/routing#1.5: headers exchanges, by version. The matrix of H7 and H8 is written out by classes of values."""

import pytest
from kits.broker import Bench, before, since, versions
from kits.rules import routing_rules

from routesim.values import Typed

test_rules = routing_rules("""
H2 keys that begin with x: left out for all and any; X-foo and xa are not such keys, x- is
    exchange x headers; queue all; bind x all x-match=all x-=1 x-foo=1 X-foo=1 xa=1; queue any
    bind x any x-match=any x-=1 x-foo=1 X-foo=1 xa=1; queue all-with-x
    bind x all-with-x x-match=all-with-x x-=1 x-foo=1 X-foo=1 xa=1; queue any-with-x
    bind x any-with-x x-match=any-with-x x-=1 x-foo=1 X-foo=1 xa=1; route x headers={"X-foo":1,"xa":1} = all any any-with-x
    route x headers={"x-foo":1} = any-with-x; route x headers={"x-":1} = any-with-x
    route x headers={"x-":1,"x-foo":1,"X-foo":1,"xa":1} = all all-with-x any any-with-x
H3 void asks for presence: a void criterion is met by any value, a void one too; a void header meets nothing else
    exchange x headers; queue void; bind x void h=null; queue one; bind x one h=1; queue text; bind x text h=""
    route x headers={"h":1} = one void; route x headers={"h":null} = void; route x headers={"h":""} = text void
    route x headers={"h":false} = void; route x headers={"h":[]} = void; route x headers={"other":1} =; route x =
H4 all and any: every criterion or at least one; other headers are of no interest
    exchange x headers; queue all; bind x all a=1 b=2; queue any; bind x any x-match=any a=1 b=2
    route x headers={"a":1,"b":2,"c":3} = all any; route x headers={"a":1} = any; route x headers={"a":2,"b":2} = any
    route x headers={"a":2,"b":1} =
H5 no headers is an empty table: what matches everything matches it
    exchange x headers; queue everything; bind x everything; queue something; bind x something a=1; route x = everything
    route x headers={} = everything
H6 keys play no role: neither routing key nor CC nor BCC; CC can be seen as a header, BCC cannot
    exchange x headers; queue cc; bind x cc CC=null; queue bcc; bind x bcc BCC=null; queue h; bind x h h=1; queue keyed
    bind x keyed key x-match=any; route x key headers={"CC":["key"],"BCC":["key"]} = cc
H10 a client may send x death: as a header like any other until something dies
    exchange x headers; queue death; bind x death x-match=all-with-x x-death=null; route x headers={"x-death":[]} = death
H11 several bindings one copy: bindings with other arguments are others, but a queue gets one copy
    exchange x headers; queue q; bind x q a=1; bind x q b=1; bind x q key a=1; route x headers={"a":1,"b":1} = q; unbind x q a=1
    route x headers={"a":1} = q; unbind x q key a=1; route x headers={"a":1} =; route x headers={"b":1} = q
""")

OLD, NEW = before("3.13"), since("3.13")

# One value of each type. The class says what it equals: numbers by value, texts by bytes, the rest by itself.
INTEGERS = {
    kind: Typed(kind, 5) for kind in ("byte", "short", "signedint", "long", "unsignedbyte", "unsignedshort", "unsignedint")
}
VALUES = {
    **INTEGERS,
    "float": Typed("float", 5.0),
    "double": Typed("double", 5.0),
    "timestamp": Typed("timestamp", 5),
    "decimal": Typed("decimal", (0, 5)),
    "longstr": "5",
    "bytes": Typed("bytes", b"5"),
    "true": True,
    "table": {"a": 5},
    "array": [5],
    "empty-table": {},
    "empty-array": [],
}


def klass(kind, *, strict, of_message):
    if kind in INTEGERS:
        return "integer 5" if strict else "number 5"
    if kind in ("float", "double"):
        return "float 5" if strict else "number 5"
    if kind == "timestamp":
        return ("integer 5000" if of_message else "integer 5") if strict else "number 5"
    if kind in ("longstr", "bytes"):
        return "text 5"
    return "empty" if kind.startswith("empty") else kind


def exchange(version, bindings):
    b = Bench(version)
    b.exchange("x", "headers")
    for name, arguments in bindings.items():
        b.queue(name)
        b.bind("x", name, args=arguments)
    return b


@versions()
@pytest.mark.parametrize("sent", VALUES)
def test_h7_h8_matrix_of_types(version, sent):
    """rules/routing#H7, rules/routing#H8: which types of the same value equal which, message by binding."""
    b = exchange(version, {name: {"h": value} for name, value in VALUES.items()})
    strict = version in NEW
    mine = klass(sent, strict=strict, of_message=True)
    expected = sorted(name for name in VALUES if klass(name, strict=strict, of_message=False) == mine)
    assert b.route("x", headers={"h": VALUES[sent]}).split() == expected


@versions()
def test_h8_timestamps(version):
    """rules/routing#H8: since 3.13 the message's timestamp is in ms: it equals an integer a thousand times as large,
    and itself only if 0."""
    b = exchange(
        version, {"t0": {"h": Typed("timestamp", 0)}, "t5": {"h": Typed("timestamp", 5)}, "i5000": {"h": 5000}, "i5": {"h": 5}}
    )
    assert b.route("x", headers={"h": Typed("timestamp", 0)}) == "t0"
    assert b.route("x", headers={"h": Typed("timestamp", 5)}) == ("i5 t5" if version in OLD else "i5000")
    assert b.route("x", headers={"h": 5}) == "i5 t5"


@versions()
def test_h7_numbers_are_compared_exactly(version):
    """rules/routing#H7: 2^53+1 is not 2^53.0; a 32-bit 0.1 is not a 64-bit 0.1; 0 is -0.0 before 3.13."""
    big = 2**53
    b = exchange(version, {"big": {"h": float(big)}, "tenth": {"h": 0.1}, "zero": {"h": 0}})
    assert b.route("x", headers={"h": big + 1}) == ""
    assert b.route("x", headers={"h": big}) == ("big" if version in OLD else "")
    assert b.route("x", headers={"h": Typed("float", 0.1)}) == ""
    assert b.route("x", headers={"h": 0.1}) == "tenth"
    assert b.route("x", headers={"h": -0.0}) == ("zero" if version in OLD else "")


@versions()
def test_h7_decimals_bools_and_texts(version):
    """rules/routing#H7: decimals by scale and value; a bool only a bool; texts by their bytes and case."""
    b = exchange(
        version, {"d10": {"h": Typed("decimal", (1, 10))}, "true": {"h": True}, "one": {"h": 1}, "a": {"h": "a"}, "A": {"h": "A"}}
    )
    assert b.route("x", headers={"h": Typed("decimal", (0, 1))}) == ""
    assert b.route("x", headers={"h": Typed("decimal", (1, 10))}) == "d10"
    assert b.route("x", headers={"h": True}) == "true"
    assert b.route("x", headers={"h": False}) == ""
    assert b.route("x", headers={"h": 1}) == "one"
    assert b.route("x", headers={"h": "a"}) == "a"


@versions()
def test_h7_nested_values_are_exact(version):
    """rules/routing#H7: inside a table or an array, order and types count in every version."""
    b = exchange(version, {"table": {"h": {"a": 1, "b": "x"}}, "array": {"h": [1, "x"]}})
    for headers, expected in [
        ({"a": 1, "b": "x"}, "table"), ({"b": "x", "a": 1}, ""), ({"a": 1.0, "b": "x"}, ""), ({"a": Typed("short", 1), "b": "x"}, ""),
        ({"a": 1}, ""), ([1, "x"], "array"), (["x", 1], ""), ([1], ""), ([1, Typed("bytes", b"x")], ""), ([1.0, "x"], ""),
    ]:  # fmt: skip
        assert b.route("x", headers={"h": headers}) == expected


@versions()
def test_h1_modes(version):
    """rules/routing#H1: all by default, any, and the two that look at x- keys; checked when binding, not when unbinding."""
    b = exchange(version, {mode: {"x-match": mode, "h": 1} for mode in ("all", "any", "all-with-x", "any-with-x")})
    for value in ("ALL", "Any", "", "some"):
        shown = f'<<"{value}">>' if value else "<<>>"
        text = f"Invalid x-match field value {shown}; expected all, any, all-with-x, or any-with-x"
        b.bind("x", "all", args={"x-match": value}, fails=(406, text))
        b.unbind("x", "all", args={"x-match": value})
    b.bind("x", "all", args={"x-match": 1}, fails=(406, "Invalid x-match field type signedint (value 1); expected longstr"))
    for value in (True, None, Typed("bytes", b"all"), ["all"]):
        b.bind("x", "all", args={"x-match": value}, fails=(406, "Invalid x-match field type"))


@versions()
def test_h10_with_x_modes_see_the_deaths(version):
    """rules/routing#H10, rules/routing#D18: x-first-death-* can be matched in every version; x-death itself until 3.12,
    x-last-death-* since 3.13."""
    b = Bench(version)
    b.exchange("dlx", "headers")
    for name, criterion in {
        "first": {"x-first-death-reason": "rejected"}, "last": {"x-last-death-queue": "q"}, "death": {"x-death": None},
    }.items():  # fmt: skip
        b.queue(name)
        b.bind("dlx", name, args={"x-match": "all-with-x", **criterion})
    b.queue("q", dead_letter_exchange="dlx")
    b.send("q", "m")
    b.get("ch", "q")
    b.reject("ch", 1)
    reached = [name for name in ("first", "last", "death") if b.count(name)[0]]
    assert reached == (["first", "death"] if version in OLD else ["first", "last"])


@versions()
@pytest.mark.parametrize(
    ("kept", "removed"),
    [(1, True), (True, 1), (1, 1.0), (1.0, 1), (0, False), (False, 0), (1, Typed("long", 1)), ("a", Typed("bytes", b"a"))],
)
def test_b1_unbinding_takes_the_binding_of_that_very_type(version, kept, removed):
    """rules/routing#B1, rules/routing#S7: values that Python calls equal are different arguments: unbinding {h: true} leaves {h:
    1}."""
    b = exchange(version, {"q": {"h": kept}})
    b.bind("x", "q", args={"h": removed})
    b.unbind("x", "q", args={"h": removed})
    assert b.route("x", headers={"h": kept}) == "q"
    b.unbind("x", "q", args={"h": kept})
    assert b.route("x", headers={"h": kept}) == ""
    assert b.route("x", headers={"h": removed}) == ""
