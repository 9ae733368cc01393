"""rules/routing#1.5: headers exchanges, by version. The matrix of H7 and H8 is written out by classes of values."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim.values import Typed

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
        text = f'Invalid x-match field value <<"{value}">>; expected all, any, all-with-x, or any-with-x'
        b.bind("x", "all", args={"x-match": value}, fails=(406, text))
        b.unbind("x", "all", args={"x-match": value})
    b.bind("x", "all", args={"x-match": 1}, fails=(406, "Invalid x-match field type signedint (value 1); expected longstr"))
    for value in (True, None, Typed("bytes", b"all"), ["all"]):
        b.bind("x", "all", args={"x-match": value}, fails=(406, "Invalid x-match field type"))


@versions()
def test_h2_keys_that_begin_with_x(version):
    """rules/routing#H2: left out for all and any; X-foo and xa are not such keys, x- is."""
    arguments = {"x-": 1, "x-foo": 1, "X-foo": 1, "xa": 1}
    b = exchange(version, {mode: {"x-match": mode, **arguments} for mode in ("all", "any", "all-with-x", "any-with-x")})
    assert b.route("x", headers={"X-foo": 1, "xa": 1}) == "all any any-with-x"
    assert b.route("x", headers={"x-foo": 1}) == "any-with-x"
    assert b.route("x", headers={"x-": 1}) == "any-with-x"
    assert b.route("x", headers=arguments) == "all all-with-x any any-with-x"


@versions()
def test_h3_void_asks_for_presence(version):
    """rules/routing#H3: a void criterion is met by any value, a void one too; a void header meets nothing else."""
    b = exchange(version, {"void": {"h": None}, "one": {"h": 1}, "text": {"h": ""}})
    for value, expected in ((1, "one void"), (None, "void"), ("", "text void"), (False, "void"), ([], "void")):
        assert b.route("x", headers={"h": value}) == expected
    assert b.route("x", headers={"other": 1}) == ""
    assert b.route("x") == ""


@versions()
def test_h4_all_and_any(version):
    """rules/routing#H4: every criterion or at least one; other headers are of no interest."""
    b = exchange(version, {"all": {"a": 1, "b": 2}, "any": {"x-match": "any", "a": 1, "b": 2}})
    assert b.route("x", headers={"a": 1, "b": 2, "c": 3}) == "all any"
    assert b.route("x", headers={"a": 1}) == "any"
    assert b.route("x", headers={"a": 2, "b": 2}) == "any"
    assert b.route("x", headers={"a": 2, "b": 1}) == ""


@versions()
def test_h5_no_headers_is_an_empty_table(version):
    """rules/routing#H5: what matches everything matches it."""
    b = exchange(version, {"everything": {}, "something": {"a": 1}})
    assert b.route("x", headers=None) == "everything"
    assert b.route("x", headers={}) == "everything"


@versions()
def test_h6_keys_play_no_role(version):
    """rules/routing#H6: neither routing key nor CC nor BCC; CC can be seen as a header, BCC cannot."""
    b = exchange(version, {"cc": {"CC": None}, "bcc": {"BCC": None}, "h": {"h": 1}})
    b.queue("keyed")
    b.bind("x", "keyed", "key", args={"x-match": "any"})
    assert b.route("x", "key", {"CC": ["key"], "BCC": ["key"]}) == "cc"


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
def test_h10_a_client_may_send_x_death(version):
    """rules/routing#H10: as a header like any other until something dies."""
    b = exchange(version, {"death": {"x-match": "all-with-x", "x-death": None}})
    assert b.route("x", headers={"x-death": []}) == "death"


@versions()
def test_h11_several_bindings_one_copy(version):
    """rules/routing#H11: bindings with other arguments are others, but a queue gets one copy."""
    b = exchange(version, {"q": {"a": 1}})
    b.bind("x", "q", args={"b": 1})
    b.bind("x", "q", "key", args={"a": 1})
    assert b.route("x", headers={"a": 1, "b": 1}) == "q"
    b.unbind("x", "q", args={"a": 1})
    assert b.route("x", headers={"a": 1}) == "q"
    b.unbind("x", "q", "key", args={"a": 1})
    assert b.route("x", headers={"a": 1}) == ""
    assert b.route("x", headers={"b": 1}) == "q"


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
