"""rules/routing#5 and rules/queues#1.12: which policy applies, how it merges with arguments, what it may hold."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim.broker.policy_index import Policies
from routesim.model import Policy
from routesim.patterns import compiled


def setting(b, queue, name):
    return getattr(b.broker.queues[queue].settings, name)


# Selection -------------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("", True),
        (".*", True),
        ("der", True),
        ("^orders$", True),
        ("^order$", False),
        ("Orders", False),
        ("(?i)ORDERS", True),
        ("^x", False),
    ],
)
def test_o1_patterns(version, pattern, fits):
    """rules/routing#O1: searched for anywhere in the name, case-sensitive; an empty one fits all."""
    b = Bench(version)
    b.policy("p", pattern, {"max-length": 1})
    b.queue("orders")
    assert (setting(b, "orders", "max_length") == 1) is fits


@versions()
@pytest.mark.parametrize(
    ("apply_to", "queues", "exchanges"), [("queues", True, False), ("exchanges", False, True), ("all", True, True)]
)
def test_o1_apply_to(version, apply_to, queues, exchanges):
    """rules/routing#O1: queues, exchanges or all."""
    b = Bench(version)
    b.exchange("x")
    b.queue("xq")
    b.exchange("ae", "fanout")
    b.queue("unrouted")
    b.bind("ae", "unrouted")
    b.policy("p", "^x", {"max-length": 1, "alternate-exchange": "ae"}, apply_to=apply_to)
    assert (setting(b, "xq", "max_length") == 1) is queues
    assert (b.route("x", "k") == "unrouted") is exchanges


@versions()
@pytest.mark.parametrize(
    ("apply_to", "kind"), [("classic_queues", "classic"), ("quorum_queues", "quorum"), ("streams", "stream")]
)
def test_o1_apply_to_one_type_since_3_12(version, apply_to, kind):
    """rules/routing#O1: unknown before 3.12."""
    b = Bench(version)
    for name in ("classic", "quorum", "stream"):
        b.queue(name, name)
    if version in before("3.13"):
        b.policy("p", ".*", {"max-length-bytes": 9}, apply_to=apply_to, fails=(400, f"apply-to '{apply_to}' unrecognised"))
        return
    b.policy("p", ".*", {"max-length-bytes": 9}, apply_to=apply_to)
    assert [name for name in ("classic", "quorum", "stream") if setting(b, name, "max_length_bytes") == 9] == [kind]


@versions()
def test_o2_one_policy_by_priority(version):
    """rules/routing#O2: the highest priority, a fraction or negative one included; its keys alone count."""
    b = Bench(version)
    b.queue("q")
    b.policy("default", ".*", {"max-length": 5})
    b.policy("low", ".*", {"max-length": 4, "message-ttl": 1000}, priority=-1)
    assert (setting(b, "q", "max_length"), setting(b, "q", "message_ttl")) == (5, None)
    b.policy("high", ".*", {"expires": 60_000}, priority=0.5)
    assert (setting(b, "q", "max_length"), setting(b, "q", "expires")) == (None, 60_000)
    b.delete_policy("high")
    b.delete_policy("default")
    assert (setting(b, "q", "max_length"), setting(b, "q", "message_ttl")) == (4, 1000)


@versions()
def test_o2_setting_a_policy_again_replaces_it(version):
    """rules/routing#O2: of one name there is one."""
    b = Bench(version)
    b.queue("q")
    b.policy("p", ".*", {"max-length": 5})
    b.policy("p", "^other$", {"max-length": 3}, priority=9)
    assert setting(b, "q", "max_length") is None


UNSUPPORTED = {
    "classic": {
        "max-age": "1h", "stream-max-segment-size-bytes": 5, "queue-leader-locator": "balanced", "initial-cluster-size": 1,
        "delivery-limit": 3, "dead-letter-strategy": "at-most-once",
    },
    "quorum": {"queue-mode": "lazy", "max-age": "1h", "stream-max-segment-size-bytes": 5, "initial-cluster-size": 1, "ha-mode": "all"},
    "stream": {
        "expires": 5, "message-ttl": 5, "dead-letter-exchange": "x", "dead-letter-routing-key": "k", "max-length": 5,
        "max-in-memory-length": 5, "max-in-memory-bytes": 5, "overflow": "drop-head", "queue-mode": "lazy", "delivery-limit": 3,
        "ha-mode": "all",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "key", "value"), [(kind, key, value) for kind, keys in UNSUPPORTED.items() for key, value in keys.items()]
)
def test_o3_a_key_that_the_type_does_not_support_disqualifies(kind, key, value):
    """rules/routing#O3: the whole policy is skipped for queues of the type, and the next one is considered."""
    b = Bench("3.10")
    b.queue("q", kind)
    b.policy("high", ".*", {key: value, "max-length-bytes": 7}, priority=1)
    b.policy("low", ".*", {"max-length-bytes": 5})
    assert setting(b, "q", "max_length_bytes") == 5


@versions()
def test_o3_keys_of_exchanges_do_not_disqualify(version):
    """rules/routing#O3: an alternate exchange in a policy for queues is of no interest, and the other way round."""
    b = Bench(version)
    b.queue("q")
    b.exchange("q", ae=None)
    b.policy("p", ".*", {"max-length": 5, "alternate-exchange": "q"})
    assert setting(b, "q", "max_length") == 5


@versions()
def test_o4_new_queues_get_their_policy(version):
    """rules/routing#O4: when they are made, and whenever a policy changes."""
    b = Bench(version)
    b.policy("p", "^q", {"max-length": 1})
    b.queue("q1")
    b.policy("r", "^q", {"max-length": 2}, priority=1)
    b.queue("q2")
    assert (setting(b, "q1", "max_length"), setting(b, "q2", "max_length")) == (2, 2)


@versions()
def test_o4_server_named_queues_are_matched_by_their_real_name(version):
    """rules/routing#O1: the name that the broker drew."""
    b = Bench(version)
    b.policy("p", "^amq\\.gen-", {"max-length": 1})
    b.queue("mine", server_named=True)
    assert setting(b, "mine", "max_length") == 1


# Merging ---------------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize(("argument", "policy", "operator", "expected"), [
    (5, None, None, 5), (None, 6, None, 6), (None, None, 7, 7), (5, 6, None, 5), (6, 5, None, 5), (5, 6, 4, 4), (4, 5, 6, 4), (6, 4, 5, 4),
])  # fmt: skip
def test_o7_o8_the_smallest_number_counts(version, kind, argument, policy, operator, expected):
    """rules/routing#O7, rules/routing#O8: of argument, policy and operator policy, for the TTL and both limits."""
    for key in ("message-ttl", "max-length", "max-length-bytes"):
        b = Bench(version)
        if policy is not None:
            b.policy("p", ".*", {key: policy})
        if operator is not None:
            b.policy("p", ".*", {key: operator}, operator=True)
        b.queue("q", kind, args={} if argument is None else {f"x-{key}": argument})
        assert setting(b, "q", key.replace("-", "_")) == expected


@versions()
@pytest.mark.parametrize(
    ("kind", "argument", "policy"),
    [("classic", 5000, 9000), ("classic", 9000, 5000), ("quorum", 5000, 9000), ("quorum", 9000, 5000)],
)
def test_o8_expires(version, kind, argument, policy):
    """rules/routing#O8: the smaller one, but of a quorum queue in 3.x the policy's."""
    b = Bench(version)
    b.policy("p", ".*", {"expires": policy})
    b.queue("q", kind, expires=argument)
    policy_wins = kind == "quorum" and version in before("4.0")
    assert setting(b, "q", "expires") == (policy if policy_wins else min(argument, policy))


@versions()
@pytest.mark.parametrize(("kind", "winner"), [("classic", "drop-head"), ("quorum", "reject-publish")])
def test_o7_o8_overflow(version, kind, winner):
    """rules/routing#O7, rules/routing#O8: the argument of a classic queue wins, of a quorum queue the policy."""
    b = Bench(version)
    b.policy("p", ".*", {"overflow": "reject-publish"})
    b.queue("q", kind, overflow="drop-head")
    b.queue("r", kind)
    assert setting(b, "q", "overflow") == winner
    assert setting(b, "r", "overflow") == "reject-publish"


@versions()
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_o7_o8_dead_lettering(version, kind):
    """rules/routing#O7, rules/routing#O8: arguments win."""
    b = Bench(version)
    b.policy("p", ".*", {"dead-letter-exchange": "px", "dead-letter-routing-key": "pk"})
    b.queue("q", kind, dead_letter_exchange="ax")
    assert (setting(b, "q", "dead_letter_exchange"), setting(b, "q", "dead_letter_routing_key")) == ("ax", "pk")


@versions()
def test_o8_delivery_limit(version):
    """rules/routing#O8: the smaller of argument and policy."""
    b = Bench(version)
    b.policy("p", ".*", {"delivery-limit": 4})
    for name, argument, expected in (("a", 3, 3), ("b", 5, 4), ("c", None, 4)):
        b.queue(name, args={"x-queue-type": "quorum", **({} if argument is None else {"x-delivery-limit": argument})})
        assert setting(b, name, "delivery_limit") == expected


@versions(since("4.0"))
@pytest.mark.parametrize(("policy", "operator", "expected"), [(-1, 5, 5), (5, -1, 5), (3, 5, 3), (-2, -1, -1)])
def test_o9_negative_delivery_limits(version, policy, operator, expected):
    """rules/routing#O9: from 4.0 on the larger of the two policies' limits if one of them is negative."""
    b = Bench(version)
    b.policy("p", ".*", {"delivery-limit": policy})
    b.policy("o", ".*", {"delivery-limit": operator}, operator=True)
    b.queue("q", args={"x-queue-type": "quorum"})
    assert setting(b, "q", "delivery_limit") == expected


@versions(since("4.0"))
@pytest.mark.parametrize("by_operator", [False, True])
@pytest.mark.parametrize(
    ("argument", "policy", "expected"),
    [(5, -1, 5), (-1, 3, 3), (-1, -1, -1), (-2, -1, -1), (-1, -2, -1), (0, -1, 0), (-1, 0, 0), (3, 5, 3), (5, 3, 3)],
)
def test_o8_a_negative_delivery_limit_leaves_the_other_side_in_force(version, by_operator, argument, policy, expected):
    """rules/routing#O8: from 4.0 on the larger of argument and policy if one of them is negative, whoever made the policy."""
    b = Bench(version)
    b.policy("p", ".*", {"delivery-limit": policy}, operator=by_operator)
    b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": argument})
    assert setting(b, "q", "delivery_limit") == expected


@pytest.mark.parametrize("argument", ["5", True, [1]])
@pytest.mark.parametrize(("policy", "early", "late"), [(None, -1, 20), (-1, -1, 20), (0, 0, 0), (3, 3, 3)])
def test_o8_a_delivery_limit_that_is_no_number(argument, policy, early, late):
    """rules/queues#2.10: greater than every number; from 4.2.5 on the default takes its place."""
    for version, expected in (("4.0", early), ("4.2.4", early), ("4.2.5", late), ("4.3", late)):
        b = Bench(version)
        if policy is not None:
            b.policy("p", ".*", {"delivery-limit": policy})
        b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": argument})
        assert setting(b, "q", "delivery_limit") == expected


@versions()
def test_o8_a_delivery_limit_may_be_a_fraction(version):
    """rules/queues#2.10: what counts more than it is too much."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": 2.5})
    assert setting(b, "q", "delivery_limit") == 2


@versions(before("4.0"))
def test_o8_a_negative_delivery_limit_is_0_in_3_x(version):
    """rules/routing#O8, rules/queues#2.10: and so the smaller, beside any policy."""
    b = Bench(version)
    b.policy("p", ".*", {"delivery-limit": 3})
    b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": -1})
    assert setting(b, "q", "delivery_limit") == 0


@versions()
def test_o9_each_key_by_itself(version):
    """rules/routing#O9: what only one of the two sets is taken from it."""
    b = Bench(version)
    b.policy("p", ".*", {"max-length": 5, "message-ttl": 100})
    b.policy("o", ".*", {"max-length": 3, "expires": 60_000}, operator=True)
    b.queue("q")
    assert [setting(b, "q", name) for name in ("max_length", "message_ttl", "expires")] == [3, 100, 60_000]


@versions(since("3.13"))
def test_o9_an_operators_overflow(version):
    """rules/routing#O9, rules/routing#O11: from 3.12.7 on accepted, and it wins over the policy's."""
    b = Bench(version)
    b.policy("p", ".*", {"overflow": "drop-head"})
    b.policy("o", ".*", {"overflow": "reject-publish"}, operator=True)
    b.queue("q")
    b.queue("mine", overflow="drop-head")
    assert (setting(b, "q", "overflow"), setting(b, "mine", "overflow")) == ("reject-publish", "drop-head")


# Keys ------------------------------------------------------------------------------------------------------------------

CORE = {
    "alternate-exchange": "x", "dead-letter-exchange": "x", "dead-letter-routing-key": "k", "dead-letter-strategy": "at-least-once",
    "message-ttl": 0, "expires": 1, "max-length": 0, "max-length-bytes": 0, "max-in-memory-length": 0, "max-in-memory-bytes": 0,
    "overflow": "reject-publish-dlx", "delivery-limit": 0, "queue-mode": "lazy", "queue-version": 2, "max-age": "1h", "queue-master-locator": "min-masters",
    "stream-max-segment-size-bytes": 5, "queue-leader-locator": "balanced", "initial-cluster-size": 1,
}  # fmt: skip
OPERATOR = (
    "expires",
    "message-ttl",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "delivery-limit",
)


@versions()
@pytest.mark.parametrize("key", CORE)
def test_o10_keys(version, key):
    """rules/routing#O10: what every version knows."""
    b = Bench(version, permit=("queue_master_locator",))
    b.policy("p", ".*", {key: CORE[key]})


@versions()
@pytest.mark.parametrize("key", CORE)
def test_o11_operator_keys(version, key):
    """rules/routing#O11: the numeric ones; queue-version and overflow from 3.12.7 on, queue-master-locator from 4.0 on."""
    b = Bench(version, permit=("queue_master_locator",))
    fine = key in OPERATOR or (key in ("queue-version", "overflow") and version in since("3.13"))
    fine = fine or (key == "queue-master-locator" and version in since("4.0"))
    fails = (400, "are not recognised policy settings")
    b.policy("p", ".*", {key: CORE[key]}, operator=True, fails=None if fine else fails)


@versions()
def test_o10_mirroring_is_gone_in_4_0(version):
    """rules/routing#O10: ha-* are unknown from 4.0 on."""
    b = Bench(version)
    b.policy("p", ".*", {"ha-mode": "all"}, fails=400 if version in since("4.0") else None)


@versions()
@pytest.mark.parametrize("key", ["consumer-timeout", "stream-filter-size-bytes", "target-group-size"])
def test_o10_keys_of_later_versions(version, key):
    """rules/routing#O10: unknown in 3.10, known from 3.12 and 3.13 on."""
    b = Bench(version)
    b.policy("p", ".*", {key: 16}, fails=400 if version in before("3.13") else None)


@pytest.mark.parametrize(("version", "known"), [("4.2", False), ("4.3.0", False), ("4.3.1", True), ("4.3", True)])
@pytest.mark.parametrize("operator", [False, True])
def test_o10_o11_policies_delay_retries_from_4_3_1_on(version, known, operator):
    """rules/routing#O10, rules/routing#O11: 4.3.0 knows the arguments alone."""
    b = Bench(version)
    definition = {"delayed-retry-type": "all", "delayed-retry-min": 5}
    b.policy("p", ".*", definition, operator=operator, fails=None if known else (400, "are not recognised policy settings"))


@pytest.mark.parametrize(
    ("argument", "policy", "operator", "expected"),
    [
        ({"type": "all"}, {"type": "failed", "min": 5}, {"type": "returned", "min": 5}, ("returned", 5, None)),
        ({"type": "all"}, {"type": "failed", "min": 5}, {}, ("failed", 5, None)),
        ({}, {"type": "all", "min": 5, "max": 30}, {"min": 7, "max": 20}, ("all", 7, 20)),
        ({"min": 6}, {"type": "all", "min": 5, "max": 20}, {"min": 4, "max": 30}, ("all", 5, 20)),
    ],
)
def test_o8_o9_delayed_retries(argument, policy, operator, expected):
    """rules/routing#O9: the operator's type, the larger minimum, the smaller maximum; rules/queues#2.11: the policy's type wins over
    the argument's, and of both delays the smaller counts."""
    b = Bench("4.3")
    for definition, by_operator in ((policy, False), (operator, True)):
        if definition:
            b.policy("p", ".*", {f"delayed-retry-{key}": value for key, value in definition.items()}, operator=by_operator)
    b.queue("q", "quorum", args={f"x-delayed-retry-{key}": value for key, value in argument.items()})
    assert tuple(setting(b, "q", f"delayed_retry_{key}") for key in ("type", "min", "max")) == expected


@versions()
@pytest.mark.parametrize("limit", [-1, -5])
def test_o10_negative_delivery_limits(version, limit):
    """rules/routing#O10: not below 0 in 3.x, any whole number in 4.x."""
    b = Bench(version)
    b.policy("p", ".*", {"delivery-limit": limit}, fails=400 if version in before("4.0") else None)


@versions()
@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({"nosuchkey": 1}, '[{<<"nosuchkey">>,1}] are not recognised policy settings'),
        ({"b": 2, "a": "x", "max-length": 1}, '[{<<"a">>,<<"x">>},{<<"b">>,2}] are not recognised policy settings'),
        ({"a": 1, "max-length": -1, "expires": 0}, "0 is not a valid queue expiry"),
        ({}, "no policy provided"),
        ({"alternate-exchange": 1}, "1 is not a valid alternate exchange name"),
        ({"max-length": -1}, "-1 is not a valid maximum length"),
        ({"message-ttl": "5"}, '<<"5">> is not a valid message TTL'),
        ({"message-ttl": -1}, "-1 is not a valid message TTL"),
        ({"expires": 0}, "0 is not a valid queue expiry"),
        ({"overflow": "bogus"}, '<<"bogus">> is not a valid overflow value'),
        ({"queue-version": 3}, "3 is not a valid queue-version value"),
        ({"queue-version": True}, "true is not a valid queue-version value"),
        ({"queue-mode": ""}, "<<>> is not a valid queue-mode value"),
        *(({"max-age": age}, "is not a valid max age") for age in ("1", "1x", "0h", "1.5h", "h", "-1h", "", "1h ", 1, None)),
        ({"queue-leader-locator": "nope"}, '<<"nope">> is not a valid queue leader locator value'),
        ({"initial-cluster-size": -1}, "-1 is not a valid cluster size"),
        ({"stream-max-segment-size-bytes": 3_000_000_001}, "3000000001 is not a valid segment size"),
        ({"shards-per-node": "x"}, 'shards-per-node should be a number, actually was <<"x">>'),
        ({"shards-per-node": -1}, "shards-per-node should be greater than 0, actually was -1"),
        ({"routing-key": "k"}, "shards-per-node must be specified"),
        ({"dead-letter-exchange": 5}, "5 is not a valid dead letter exchange name"),
        ({"max-length": True}, "true is not a valid maximum length"),
        ({"max-length": 1.5}, "1.5 is not a valid maximum length"),
    ],
)
def test_o12_what_is_refused(version, definition, text):
    """rules/routing#O12: with RabbitMQ's words; nothing changes."""
    b = Bench(version)
    b.queue("q")
    b.policy("p", ".*", definition, fails=(400, text))
    assert b.broker.policies == {}


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        *(({"delayed-retry-type": kind}, f"delayed-retry-min is required when delayed-retry-type is {kind}")
          for kind in ("all", "failed", "returned")),
        ({"delayed-retry-type": "x"}, '<<"x">> is not a valid delayed retry type. Must be one of: all, failed, returned, disabled'),
        ({"delayed-retry-min": 0}, "0 is not a valid delayed retry minimum delay. Must be a positive integer"),
        ({"delayed-retry-max": 0}, "0 is not a valid delayed retry maximum delay. Must be a positive integer"),
        ({"delayed-retry-min": 5, "delayed-retry-max": 4}, "delayed-retry-max (4) must not be smaller than delayed-retry-min (5)"),
    ],
)  # fmt: skip
def test_o10_delayed_retries_across_keys(definition, text):
    """rules/routing#O10: what 4.3 demands of the three keys together."""
    b = Bench("4.3")
    b.policy("p", ".*", definition, fails=(400, text))
    b.policy("p", ".*", {"delayed-retry-type": "disabled"})
    b.policy("p", ".*", {"delayed-retry-type": "all", "delayed-retry-min": 5, "delayed-retry-max": 5})


@versions(before("4.0"))
@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({"queue-master-locator": "nope"}, '<<"nope">> invalid queue-master-locator value'),
        ({"ha-params": 2}, "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"),
        ({"ha-mode": "nope"}, '<<"nope">> is not a valid ha-mode value'),
        ({"ha-mode": "exactly"}, 'ha-mode="exactly" takes an integer, none given'),
        ({"ha-mode": "exactly", "ha-params": "2"}, 'ha-mode="exactly" takes an integer, <<"2">> given'),
        ({"ha-mode": "nodes", "ha-params": []}, 'ha-mode="nodes" list must be non-empty'),
        ({"ha-mode": "nodes", "ha-params": [1]}, 'ha-mode="nodes" takes a list of strings, [1] was not a string'),
        ({"ha-mode": "nodes", "ha-params": "a"}, 'ha-mode="nodes" takes a list, <<"a">> given'),
        ({"ha-mode": "all", "ha-params": 2}, 'ha-mode="all" does not take parameters'),
        ({"ha-mode": "all", "ha-sync-mode": "x"}, 'ha-sync-mode must be "manual" or "automatic", got <<"x">>'),
        ({"ha-mode": "all", "ha-sync-batch-size": 0}, "ha-sync-batch-size takes an integer greater than 0, 0 given"),
        ({"ha-mode": "all", "ha-promote-on-failure": 1}, 'ha-promote-on-failure must be "always" or "when-synced", got 1'),
    ],
)
def test_o10_mirroring_across_keys(version, definition, text):
    """rules/routing#O10: what 3.x demands of the ha-* keys together."""
    b = Bench(version)
    b.policy("p", ".*", definition, fails=(400, text))
    b.policy("p", ".*", {"ha-mode": "exactly", "ha-params": 2, "ha-sync-mode": "automatic"})


@versions(since("4.0"))
def test_o12_targets_of_4_x(version):
    """rules/routing#O12: with two blanks."""
    targets = "'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'"
    b = Bench(version)
    b.policy("p", ".*", {"max-length": 1}, apply_to="x", fails=(400, f"apply-to 'x' unrecognised; should be one of: {targets}"))


@versions()
def test_o12_patterns_and_targets(version):
    """rules/routing#O12: a pattern that is none, a target that is none."""
    b = Bench(version)
    b.policy("p", "(", {"max-length": 1}, fails=(400, "pattern should be regular expression but is invalid"))
    b.policy("p", ".*", {"max-length": 1}, apply_to="bogus", fails=(400, "apply-to 'bogus' unrecognised; should be"))


@versions()
def test_clearing_a_policy_that_is_not_there(version):
    """rules/routing#O4: it is told, and closes nothing."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q")
    with pytest.raises(AssertionError, match="was refused"):
        b.delete_policy("nope")
    b.send("q", 0)
    assert b.news() == "A:0"


PATTERNS = [
    "^a$", "^ab", "^ab.*", "^ab?", "^ab*c", "^ab+", "^ab{0}", "^a|b", "^a(b|c)$", "^(a|b)", "^a[|]b|c", r"^a\.b", r"^a\.?", r"^a\d|b",
    "^a(b)|c", ".*", "b", "^", "^$", "a$", r"^a\|b", "^(?i)A", "^a b", r"^a(?#(|)|b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_index_leaves_out_no_policy_that_fits(pattern: str) -> None:
    names = [
        "",
        "a",
        "b",
        "c",
        "ab",
        "abc",
        "ac",
        "abb",
        "a.b",
        "a.",
        "a1",
        "a|b",
        "a b",
        "xa",
        "ba",
        "A",
        "a\n",
        "ab\n",
        "ab{0}",
    ]
    policies = Policies([((False, "p"), Policy("p", pattern, {}))])
    for name in names:
        found = [policy for _, policy in policies.that_may_fit(name)]
        assert found or not compiled(pattern)(name), (pattern, name)


def test_a_pattern_that_says_how_a_name_begins_is_tried_against_these_names_alone() -> None:
    policies = Policies([((False, f"p{i}"), Policy(f"p{i}", rf"^app\.{i}\..*(x|y)?", {})) for i in range(50)])
    assert [policy.name for _, policy in policies.that_may_fit("app.7.orders")] == ["p7"]
