"""rules/queues#1.8, rules/queues#1.9, rules/queues#1.11: the arguments of queue.declare.
The error terms are what a RabbitMQ 3.10.8 answered."""

import pytest
from kits.broker import Bench, since, versions
from kits.rules import queue_rules

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
    b = Bench(version, permit=("queue_master_locator",))
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
    b = Bench(version, permit=("queue_master_locator",))
    fails = (406, f"invalid arg '{name}' for queue 'q' in vhost '/' of queue type rabbit_{kind}_queue")
    b.queue("q", args={"x-queue-type": kind, name: value}, fails=None if taken else fails)


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
    b = Bench(version, permit=("queue_master_locator",))
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
def test_redeclaring_1_8_integer_widths_are_one_class(version):
    """rules/queues#1.8: any integer type will do; a float or text of the same number will not."""
    b = Bench(version)
    b.queue("q", args={"x-max-length": 5})
    for kind in ("byte", "short", "signedint", "long", "unsignedbyte", "unsignedshort", "unsignedint"):
        b.queue("q", args={"x-max-length": Typed(kind, 5)})
    for other in (5.0, "5", True):
        b.queue("q", args={"x-max-length": other}, fails=(406, "inequivalent arg 'x-max-length'"))


test_values = queue_rules("""
1.9b x-queue-type is classic, quorum or stream: sensitive to case
    queue c x-queue-type=classic; queue k x-queue-type=quorum; queue s x-queue-type=stream
    queue q x-queue-type=Quorum !406 x-queue-type; queue q x-queue-type=1 !406 {unacceptable_type,signedint}; queues = c k s
    queue q x-queue-type=Classic !406 invalid arg 'x-queue-type' for queue 'q' in vhost '/': "unsupported queue type 'Classic'"
    queue q x-queue-type="" !406 invalid arg 'x-queue-type' for queue 'q' in vhost '/': "unsupported queue type ''"
    queue q x-queue-type=1 !406 invalid arg 'x-queue-type' for queue 'q' in vhost '/': {unacceptable_type,signedint}
1.9a x-dead-letter-exchange is text: looked at first of all [classic quorum stream]
    queue q x-queue-type={kind} x-dead-letter-exchange=1 x-expires=0 !406 invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'
    queue q x-queue-type={kind} x-dead-letter-exchange=true x-expires=0 !406 invalid type 'bool' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'
    queue q x-queue-type={kind} x-dead-letter-exchange=null x-expires=0 !406 invalid type 'void' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'
1.9d,1.8 unknown arguments pass: they are not looked at in a second declaration either
    queue q x-nobody-knows=true x-plain=[1]; queue q x-nobody-knows=else; queue q
1.11 x-queue-mode and x-queue-version [<4.3]
    queue q x-queue-mode=bogus !406 invalid arg 'x-queue-mode' for queue 'q' in vhost '/': "unsupported queue mode 'bogus'"
    queue q x-queue-mode=1 !406 invalid arg 'x-queue-mode' for queue 'q' in vhost '/': {unacceptable_type,signedint}
    queue q x-queue-version=3 !406 invalid arg 'x-queue-version' for queue 'q' in vhost '/': "unsupported queue version '3'"
    queue q x-queue-version=0 !406 invalid arg 'x-queue-version' for queue 'q' in vhost '/': "unsupported queue version '0'"
    queue q x-queue-version=1
1.11 x-queue-version, only 2 [4.3]
    queue q x-queue-version=1 !406
1.11 x-max-age without a digit: closes the connection until 4.2.6 [age=h ""]
    [<4.2] queue q x-queue-type=stream x-max-age={age} !541; [>=4.2] queue q x-queue-type=stream x-max-age={age} !406
1.11 x-dead-letter-routing-key needs its exchange: an empty one is a key like any other [classic quorum, key=k ""]
    queue q x-queue-type={kind} x-dead-letter-exchange="" x-dead-letter-routing-key={key}; queues = q
1.11 x-dead-letter-routing-key that is empty is used
    exchange dlx direct; queue dlq; bind dlx dlq ""; queue q dead-letter-exchange=dlx dead-letter-routing-key=""
    send q 0; get ch q; nack ch 1 requeue=false; drain dlq = 0
1.11 x-stream-filter-size-bytes: unknown before 3.13, then the streams' own
    queue s x-queue-type=stream x-stream-filter-size-bytes=16
    [<3.13] queue c x-stream-filter-size-bytes=16; [>=3.13] queue c x-stream-filter-size-bytes=16 !406
1.11 x-consumer-timeout: looked at from 4.3.2 on, and a quorum queue's then [3.12.14 4.2.9 4.3.0 4.3.1 4.3.2 4.3.6]
    [<4.3.2] queue q x-queue-type=quorum x-consumer-timeout=text; [>=4.3.2] queue q x-queue-type=quorum x-consumer-timeout=text !406
    [<4.3.2] queue c x-consumer-timeout=1000; [>=4.3.2] queue c x-consumer-timeout=1000 !406 of queue type rabbit_classic_queue
    queue k x-queue-type=quorum x-consumer-timeout=1000
1.11 x-consumer-disconnected-timeout: a quorum queue's from 4.3.0 on, looked at from 4.3.2 on [4.2.9 4.3.0 4.3.1 4.3.2 4.3.6]
    [<4.3.2] queue q x-queue-type=quorum x-consumer-disconnected-timeout=text
    [>=4.3.2] queue q x-queue-type=quorum x-consumer-disconnected-timeout=text !406
    [<4.3.0] queue c x-consumer-disconnected-timeout=1; [>=4.3.0] queue c x-consumer-disconnected-timeout=1 !406
3.1 the consumer argument x-consumer-timeout: a quorum queue's from 4.3.0 on, looked at from 4.3.2 on [4.2.9 4.3.0 4.3.1 4.3.2 4.3.6]
    queue q quorum; queue c; [<4.3.2] consume A q x-consumer-timeout=text
    [>=4.3.2] consume A q x-consumer-timeout=text !406; [>=4.3.2] consume A q x-consumer-timeout=-1 !406 {value_negative,-1}
    [<4.3.0] consume C c x-consumer-timeout=5; [>=4.3.0] consume C c x-consumer-timeout=5 !406 of queue type rabbit_classic_queue
1.11 x-max-priority of zero: one level until 3.12, two from 3.13 on [levels=0 1]
    queue q max-priority={levels}; send-by-priority q 0:0 1:9; drain q = 1 0 | 0 <3.13: 0 1
""")

test_redeclaring = queue_rules("""
1.8 declared again, the texts
    queue q; queue p max-length=5
    queue q max-length=5 !406 inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received the value '5' of type 'signedint' but current is none
    queue p max-length=6 !406 inequivalent arg 'x-max-length' for queue 'p' in vhost '/': received '6' but current is '5'
    queue p max-length=5 auto-delete !406 inequivalent arg 'auto_delete' for queue 'p' in vhost '/': received 'true' but current is 'false'
1.8 declared again, the order of checks: durable, auto-delete, then the arguments in the type's order
    queue q x-expires=1000 x-max-length=3; [<4.3] queue q durable=false auto-delete !406 inequivalent arg 'durable'
    queue q auto-delete !406 inequivalent arg 'auto_delete'; queue q !406 inequivalent arg 'x-expires'
    queue k x-queue-type=quorum x-expires=1000 x-dead-letter-exchange=x x-message-ttl=5
    queue k x-queue-type=quorum !406 inequivalent arg 'x-dead-letter-exchange'
    queue k x-queue-type=quorum x-dead-letter-exchange=x !406 inequivalent arg 'x-expires'
1.8 declared again, true is not one
    queue q x-max-length=1; queue q x-max-length=true !406 inequivalent arg 'x-max-length'
1.8 declared again, classic is the type without x-queue-type: another is not the same
    queue q; queue q x-queue-type=classic; queue q x-queue-type=quorum !406 inequivalent arg 'x-queue-type'; queue k quorum
    [<4.0] queue k !406; [>=4.0] queue k x-delivery-limit=-1 !406
1.8 declared again, values are not validated: inequivalent, not invalid; other types' arguments do not count
    queue q max-length=5; queue q max-length=-1 !406 inequivalent arg 'x-max-length'; queue q max-length=5 delivery-limit=3
    queue q max-length=5 x-max-age=nonsense
""")
