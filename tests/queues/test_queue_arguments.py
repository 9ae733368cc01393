"""rules/queues#1.8, rules/queues#1.9, rules/queues#1.11: the arguments of queue.declare.
The error terms are what a RabbitMQ 3.10.8 answered."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim.values import Typed

OK = ""
ZERO, NEGATIVE = "{value_zero,0}", "{value_negative,-1}"
TEN_YEARS = 315_360_000_000
LARGE = f"{{value_too_large,{TEN_YEARS + 1}}}"


def expected_integer(kind):
    return f'"expected integer, got {kind}"'


NOT_INTEGERS = [("5", expected_integer("longstr")), (True, expected_integer("bool")), (1.5, expected_integer("double"))]
NOT_STRINGS = [(1, "{unacceptable_type,signedint}"), (True, "{unacceptable_type,bool}")]
C, Q, S = "classic", "quorum", "stream"

# argument: the types that take it, and values with the error term that they get (OK: none).
TABLE = {
    "x-expires": ([C, Q], [(1, OK), (TEN_YEARS, OK), (0, ZERO), (-1, NEGATIVE), (TEN_YEARS + 1, LARGE), *NOT_INTEGERS]),
    "x-message-ttl": ([C, Q], [(0, OK), (TEN_YEARS, OK), (-1, NEGATIVE), (TEN_YEARS + 1, LARGE), *NOT_INTEGERS]),
    "x-dead-letter-exchange": ([C, Q], [("", OK), ("nope", OK)]),
    "x-dead-letter-routing-key": ([C, Q], [("", "routing_key_but_no_dlx_defined"), ("k", "routing_key_but_no_dlx_defined"), *NOT_STRINGS]),
    "x-max-length": ([C, Q], [(0, OK), (TEN_YEARS + 1, OK), (-1, NEGATIVE), *NOT_INTEGERS]),
    "x-max-length-bytes": ([C, Q, S], [(0, OK), (TEN_YEARS + 1, OK), (-1, NEGATIVE), *NOT_INTEGERS]),
    "x-max-priority": ([C], [(0, OK), (255, OK), (256, "{max_value_exceeded,256}"), (-1, NEGATIVE), *NOT_INTEGERS]),
    "x-overflow": (
        [C, Q],
        [("drop-head", OK), ("reject-publish", OK), ("reject-publish-dlx", OK), ("bogus", "invalid_overflow"),
         ("Drop-head", "invalid_overflow"), *NOT_STRINGS],
    ),
    "x-queue-mode": ([C], [("default", OK), ("lazy", OK)]),
    "x-queue-version": ([C], [(2, OK), ("1", expected_integer("longstr"))]),
    "x-single-active-consumer": (
        [C, Q], [(True, OK), (False, OK), (1, "{unacceptable_type,signedint}"), ("true", "{unacceptable_type,longstr}")]
    ),
    "x-queue-master-locator": ([C], [("client-local", OK)]),
    "x-dead-letter-strategy": (
        [Q], [("at-most-once", OK), ("at-least-once", OK), ("bogus", "invalid_dlx_strategy"), *NOT_STRINGS]
    ),
    "x-delivery-limit": ([Q], [(0, OK), (1, OK), (-1, OK), ("x", OK), (True, OK)]),
    "x-quorum-initial-group-size": ([Q], [(1, OK), (0, ZERO), (-1, NEGATIVE), ("1", expected_integer("longstr"))]),
    "x-max-in-memory-length": ([Q], [(0, OK), (-1, NEGATIVE), *NOT_INTEGERS]),
    "x-max-in-memory-bytes": ([Q], [(0, OK), (-1, NEGATIVE), *NOT_INTEGERS]),
    "x-max-age": (
        [S],
        [*((f"1{unit}", OK) for unit in "YMDhms"), ("0s", "invalid_max_age"), ("10", "invalid_max_age"), ("1x", "invalid_max_age"),
         (5, "{unacceptable_type,signedint}")],
    ),
    "x-stream-max-segment-size-bytes": ([S], [(0, OK), (-1, NEGATIVE), ("1", expected_integer("longstr"))]),
    "x-initial-cluster-size": ([S], [(1, OK), (0, ZERO), ("1", expected_integer("longstr"))]),
    "x-queue-leader-locator": (
        [Q, S], [("client-local", OK), ("balanced", OK), ("bogus", "invalid_queue_locator_arg"), (1, "{unacceptable_type,signedint}")]
    ),
}  # fmt: skip

CASES = [(name, kind, value, term) for name, (types, values) in TABLE.items() for kind in types for value, term in values]


@versions()
@pytest.mark.parametrize(("name", "kind", "value", "term"), CASES)
def test_arguments_1_11_values(version, name, kind, value, term):
    """rules/queues#1.11: a value is taken, or refused with RabbitMQ's error term."""
    b = Bench(version)
    fails = (406, f"PRECONDITION_FAILED - invalid arg '{name}' for queue 'q' in vhost '/': {term}") if term else None
    b.queue("q", kind, args={"x-queue-type": kind, name: value}, fails=fails)
    assert b.queues == ("" if term else "q")


@versions()
@pytest.mark.parametrize("kind", [C, Q, S])
@pytest.mark.parametrize("name", [name for name in TABLE if name != "x-dead-letter-routing-key"])
def test_arguments_1_11_types(version, name, kind):
    """rules/queues#1.11, rules/queues#1.9d: an argument of another type of queue is refused."""
    types, values = TABLE[name]
    taken = kind in types or (name == "x-queue-leader-locator" and version in since("4.0"))
    value = next(value for value, term in values if not term)
    b = Bench(version)
    fails = (406, f"invalid arg '{name}' for queue 'q' in vhost '/' of queue type rabbit_{kind}_queue")
    b.queue("q", args={"x-queue-type": kind, name: value}, fails=None if taken else fails)


@versions()
@pytest.mark.parametrize("kind", [C, Q, S])
@pytest.mark.parametrize(("value", "kind_of"), [(1, "signedint"), (True, "bool"), (None, "void")])
def test_arguments_1_9_a_dead_letter_exchange_is_text(version, kind, value, kind_of):
    """rules/queues#1.9a: looked at first of all, with its own text."""
    b = Bench(version)
    b.queue(
        "q", args={"x-queue-type": kind, "x-dead-letter-exchange": value, "x-expires": 0},
        fails=(406, f"invalid type '{kind_of}' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'"),
    )  # fmt: skip


@versions()
@pytest.mark.parametrize(
    ("value", "term"),
    [
        ("Classic", "\"unsupported queue type 'Classic'\""),
        ("", "\"unsupported queue type ''\""),
        (1, "{unacceptable_type,signedint}"),
    ],
)
def test_arguments_1_9_queue_types(version, value, term):
    """rules/queues#1.9b: exactly classic, quorum or stream."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": value}, fails=(406, f"invalid arg 'x-queue-type' for queue 'q' in vhost '/': {term}"))


@versions(before("4.3"))
@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("x-queue-mode", "bogus", "\"unsupported queue mode 'bogus'\""),
        ("x-queue-mode", 1, "{unacceptable_type,signedint}"),
        ("x-queue-version", 3, "\"unsupported queue version '3'\""),
        ("x-queue-version", 0, "\"unsupported queue version '0'\""),
        ("x-queue-version", 1, OK),
    ],
)
def test_arguments_1_11_mode_and_version(version, name, value, term):
    """rules/queues#1.11: x-queue-mode and x-queue-version before 4.3."""
    b = Bench(version)
    fails = (406, f"invalid arg '{name}' for queue 'q' in vhost '/': {term}") if term else None
    b.queue("q", args={name: value}, fails=fails)


@versions(("4.3",))
def test_arguments_1_11_only_version_2_since_4_3(version):
    """rules/queues#1.11: x-queue-version 1 is refused from 4.3 on."""
    b = Bench(version)
    b.queue("q", args={"x-queue-version": 1}, fails=406)


@versions()
@pytest.mark.parametrize("value", ["h", ""])
def test_arguments_1_11_an_age_without_a_digit(version, value):
    """rules/queues#1.11: until 4.2.7 an x-max-age that does not begin with a digit kills the connection."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "stream", "x-max-age": value}, fails=541 if version in before("4.2") else 406)


@versions()
def test_arguments_1_9_order_of_checks(version):
    """rules/queues#1.9c: arguments are looked at in RabbitMQ's order, whatever the order of the table; then (d)."""
    b = Bench(version)
    everything = {
        "x-queue-leader-locator": "bogus", "x-max-age": "1h", "x-single-active-consumer": 1, "x-overflow": "bogus",
        "x-max-length-bytes": -1, "x-max-length": -1, "x-dead-letter-strategy": "bogus", "x-dead-letter-routing-key": 1,
        "x-message-ttl": -1, "x-expires": 0, "x-queue-type": "quorum",
    }  # fmt: skip
    order = [
        "x-expires", "x-message-ttl", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-max-length", "x-max-length-bytes",
        "x-overflow", "x-single-active-consumer", "x-queue-leader-locator", "x-max-age",
    ]  # fmt: skip
    for name in order:
        b.queue("q", args=everything, fails=(406, f"invalid arg '{name}'"))
        del everything[name]
    b.queue("q", args=everything)


@versions()
def test_arguments_1_9_unknown_ones_pass(version):
    """rules/queues#1.9d: what no type knows is stored and not looked at, on a re-declaration neither (rules/queues#1.8)."""
    b = Bench(version)
    b.queue("q", args={"x-nobody-knows": True, "plain": [1]})
    b.queue("q", args={"x-nobody-knows": "else"})
    b.queue("q")


# x-dead-letter-routing-key ---------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize("kind", [C, Q])
@pytest.mark.parametrize("value", ["", "k"])
def test_arguments_1_11_a_dead_letter_key_needs_its_exchange(version, kind, value):
    """rules/queues#1.11: fine with x-dead-letter-exchange; '' is a key like any other."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": kind, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": value})
    assert b.queues == "q"


@versions()
def test_arguments_1_11_an_empty_dead_letter_key_is_used(version):
    """rules/queues#1.11: '' is a real key, not "absent"."""
    b = Bench(version)
    b.exchange("dlx", "direct")
    b.queue("dlq")
    b.bind("dlx", "dlq", "")
    b.queue("q", dead_letter_exchange="dlx", dead_letter_routing_key="")
    b.send("q", 0)
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.drain("dlq") == "0"


# Later arguments -------------------------------------------------------------------------------------------------------


@versions()
def test_arguments_1_11_stream_filter_size(version):
    """rules/queues#1.11: x-stream-filter-size-bytes is unknown before 3.13, then the streams' own."""
    b = Bench(version)
    b.queue("s", args={"x-queue-type": "stream", "x-stream-filter-size-bytes": 16})
    fails = 406 if version in since("3.13") else None
    b.queue("c", args={"x-stream-filter-size-bytes": 16}, fails=fails)


@versions()
def test_arguments_1_11_consumer_timeout(version):
    """rules/queues#1.11: x-consumer-timeout is looked at from 4.3 on, and is a quorum queue's then."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "quorum", "x-consumer-timeout": "text"}, fails=406 if version == "4.3" else None)
    b.queue("c", args={"x-consumer-timeout": 1000}, fails=406 if version == "4.3" else None)
    b.queue("k", args={"x-queue-type": "quorum", "x-consumer-timeout": 1000})


@versions()
@pytest.mark.parametrize(("levels", "expected"), [(0, "0 1"), (1, "1 0")])
def test_arguments_1_11_max_priority_zero(version, levels, expected):
    """rules/queues#1.11: x-max-priority 0 is one level until 3.12, and two since 3.13."""
    b = Bench(version)
    b.queue("q", max_priority=levels)
    b.send("q", 0, priority=0)
    b.send("q", 1, priority=9)
    if version in since("3.13"):
        expected = "1 0"
    assert b.drain("q") == expected


# Declaring again -------------------------------------------------------------------------------------------------------


def full(kind):
    common = {
        "x-expires": 100_000, "x-message-ttl": 1000, "x-dead-letter-exchange": "x", "x-dead-letter-routing-key": "k",
        "x-max-length": 5, "x-max-length-bytes": 500, "x-overflow": "reject-publish", "x-single-active-consumer": True,
    }  # fmt: skip
    if kind == "classic":
        return {
            **common,
            "x-max-priority": 3,
            "x-queue-mode": "lazy",
            "x-queue-version": 2,
            "x-queue-master-locator": "client-local",
        }
    if kind == "quorum":
        return {
            **common, "x-queue-type": "quorum", "x-dead-letter-strategy": "at-most-once", "x-max-in-memory-length": 7,
            "x-max-in-memory-bytes": 8, "x-quorum-initial-group-size": 1, "x-delivery-limit": 3, "x-queue-leader-locator": "balanced",
        }  # fmt: skip
    return {
        "x-queue-type": "stream", "x-max-length-bytes": 500, "x-max-age": "1h", "x-stream-max-segment-size-bytes": 5000,
        "x-initial-cluster-size": 1, "x-queue-leader-locator": "balanced",
    }  # fmt: skip


@versions()
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in (C, Q, S) for name in full(kind) if name != "x-queue-type"])
def test_redeclaring_1_8_compares_every_argument_of_the_type(version, kind, name):
    """rules/queues#1.8: absent is not the same as present, another value neither; the same arguments are fine."""
    b = Bench(version)
    arguments = full(kind)
    b.queue("q", args=arguments)
    b.queue("q", args=dict(reversed(arguments.items())))
    value = arguments[name]
    absent = {key: item for key, item in arguments.items() if key != name}
    shown = {True: "true"}.get(value, value) if isinstance(value, bool) else value
    b.queue(
        "q",
        args=absent,
        fails=(406, f"inequivalent arg '{name}' for queue 'q' in vhost '/': received none but current is the value '{shown}'"),
    )
    other = (not value) if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + "x"
    b.queue("q", args={**arguments, name: other}, fails=(406, f"inequivalent arg '{name}'"))


@versions()
def test_redeclaring_1_8_texts(version):
    """rules/queues#1.8: how RabbitMQ says what differs."""
    b = Bench(version)
    b.queue("q")
    b.queue(
        "q",
        max_length=5,
        fails=(
            406,
            "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received the value '5' of type 'signedint' but current is none",
        ),
    )
    b.queue("p", max_length=5)
    b.queue(
        "p",
        max_length=6,
        fails=(406, "inequivalent arg 'x-max-length' for queue 'p' in vhost '/': received '6' but current is '5'"),
    )
    b.queue(
        "p",
        auto_delete=True,
        max_length=5,
        fails=(406, "inequivalent arg 'auto_delete' for queue 'p' in vhost '/': received 'true' but current is 'false'"),
    )


@versions()
def test_redeclaring_1_8_order_of_checks(version):
    """rules/queues#1.8: the owner, durable, auto-delete, then the arguments in the type's order."""
    b = Bench(version)
    b.queue("q", args={"x-expires": 1000, "x-max-length": 3})
    if version != "4.3":
        b.queue("q", durable=False, auto_delete=True, fails=(406, "inequivalent arg 'durable'"))
    b.queue("q", auto_delete=True, fails=(406, "inequivalent arg 'auto_delete'"))
    b.queue("q", fails=(406, "inequivalent arg 'x-expires'"))
    b.queue("k", args={"x-queue-type": "quorum", "x-expires": 1000, "x-dead-letter-exchange": "x", "x-message-ttl": 5})
    b.queue("k", args={"x-queue-type": "quorum"}, fails=(406, "inequivalent arg 'x-dead-letter-exchange'"))
    b.queue("k", args={"x-queue-type": "quorum", "x-dead-letter-exchange": "x"}, fails=(406, "inequivalent arg 'x-expires'"))


@versions()
def test_redeclaring_1_8_integer_widths_are_one_class(version):
    """rules/queues#1.8: any integer type will do; a float or text of the same number will not."""
    b = Bench(version)
    b.queue("q", args={"x-max-length": 5})
    for kind in ("byte", "short", "signedint", "long", "unsignedbyte", "unsignedshort", "unsignedint"):
        b.queue("q", args={"x-max-length": Typed(kind, 5)})
    for other in (5.0, "5", True):
        b.queue("q", args={"x-max-length": other}, fails=(406, "inequivalent arg 'x-max-length'"))


@versions()
def test_redeclaring_1_8_true_is_not_one(version):
    """rules/queues#1.8: a bool and an integer differ."""
    b = Bench(version)
    b.queue("q", args={"x-max-length": 1})
    b.queue("q", args={"x-max-length": True}, fails=(406, "inequivalent arg 'x-max-length'"))


@versions()
def test_redeclaring_1_8_classic_is_the_default_type(version):
    """rules/queues#1.8: x-queue-type classic and none are the same; another type is not."""
    b = Bench(version)
    b.queue("q")
    b.queue("q", args={"x-queue-type": "classic"})
    b.queue("q", args={"x-queue-type": "quorum"}, fails=(406, "inequivalent arg 'x-queue-type'"))
    b.queue("k", "quorum")
    b.queue("k", "classic", args={} if version.startswith("3") else {"x-delivery-limit": -1}, fails=406)


@versions()
def test_redeclaring_1_8_values_are_not_validated(version):
    """rules/queues#1.8: a bad value for an existing queue is "inequivalent", not "invalid";
    other types' arguments do not count."""
    b = Bench(version)
    b.queue("q", max_length=5)
    b.queue("q", max_length=-1, fails=(406, "inequivalent arg 'x-max-length'"))
    b.queue("q", max_length=5, delivery_limit=3)
    b.queue("q", max_length=5, args={"x-max-age": "nonsense"})
