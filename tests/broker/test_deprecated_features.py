"""rules/queues#1.16: what a broker denies from 4.3 on, unless its configuration permits it."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim.rabbitmq.http.features import features_unlike, permitted_features, to_permit
from routesim.rabbitmq.http.management import ManagementError
from routesim.versions import DIFFERENCES, rules
from routesim.versions.deprecated import FEATURES, cure, denial, denied_in, permitting

LOCATOR = {"x-queue-master-locator": "min-masters"}
OF_POLICY = "use of deprecated queue-master-locator argument is not permitted"


@versions(since("4.3"))
@pytest.mark.parametrize(
    ("feature", "declared"),
    [("transient_nonexcl_queues", {"durable": False}), ("queue_master_locator", {"args": LOCATOR}),
     ("queue_master_locator", {"exclusive": True, "args": LOCATOR}),
     ("transient_nonexcl_queues", {"durable": False, "args": LOCATOR})],
)  # fmt: skip
def test_a_denied_feature_closes_the_connection(version, feature, declared):
    """rules/queues#1.16: in RabbitMQ's words; a broker that permits it takes the queue."""
    Bench(version).queue("q", **declared, fails=(541, denial(feature)))
    Bench(version, permit=("transient_nonexcl_queues", "queue_master_locator")).queue("q", **declared)


@versions(before("4.3"))
def test_before_it_is_denied_everything_is_taken(version):
    """rules/queues#1.16."""
    b = Bench(version)
    b.queue("q", durable=False, args=LOCATOR)
    b.policy("p", ".*", {"queue-master-locator": "client-local"})


@versions()
def test_arguments_are_checked_before_the_locator(version):
    """rules/queues#1.11: 406 first, and of another type of queue always."""
    b = Bench(version)
    b.queue("q", args={**LOCATOR, "x-max-length": -1}, fails=(406, "x-max-length"))
    b.queue("q", "quorum", args=LOCATOR, fails=(406, "of queue type rabbit_quorum_queue"))


@versions(since("4.3"))
@pytest.mark.parametrize("operator", [False, True])
def test_a_policy_with_a_master_locator(version, operator):
    """rules/routing#O10: refused whatever its value, until the feature is permitted."""
    definition = {"queue-master-locator": "nope"}
    Bench(version).policy("p", ".*", definition, operator=operator, fails=(400, OF_POLICY))
    b = Bench(version, permit=("queue_master_locator",))
    b.policy("p", ".*", definition, operator=operator, fails=(400, '<<"nope">> is not a valid master locator'))
    b.policy("p", ".*", {"queue-master-locator": "min-masters"}, operator=operator)


@versions(since("4.3"))
def test_a_permitted_global_qos_limits_the_channel(version):
    """rules/queues#3.7, rules/queues#1.16: denied, it is a limit of each consumer to come."""
    for permit, expected in (((), "1 2"), (("global_qos",), "1")):
        b = Bench(version, permit=permit)
        b.channel("ch", prefetch=1)
        b.queue("q")
        b.consume("a", "q", channel="ch")
        b.consume("b", "q", channel="ch")
        b.send("q", 1, 2)
        assert " ".join(letter.message for letter in b.letters) == expected


@pytest.mark.parametrize("name", FEATURES)
def test_every_row_of_the_table_says_what_it_changes(name):
    """rules/queues#1.16: the difference that it switches begins where it is denied; a cure for each that changes anything."""
    feature = FEATURES[name]
    if feature.rule is None:
        assert permitting(rules("4.3"), [name]) == rules("4.3")
        return
    assert DIFFERENCES[feature.rule].then == ((feature.denied, True),)
    assert not getattr(permitting(rules("4.3"), [name]), feature.rule)
    assert permitting(rules("4.2"), [name]) == rules("4.2")
    assert denied_in(denial(name)) == name
    assert f"permit: [{name}]" in cure(name)
    assert feature.instead


def test_a_refused_policy_is_about_the_locator():
    assert denied_in(OF_POLICY) == "queue_master_locator"
    assert denied_in("NOT_FOUND") is None


# A real broker --------------------------------------------------------------------------------------------------------


class Api:
    """The HTTP API of a broker that shows these features."""

    def __init__(self, answer):
        self.answer = answer

    def call(self, method, path):
        assert (method, path) == ("GET", "deprecated-features")
        if self.answer is None:
            raise ManagementError(404, "Not Found")
        return self.answer


def shown(**states):
    return Api([{"name": name, "deprecation_phase": "denied_by_default", "state": state} for name, state in states.items()])


def test_a_broker_says_what_it_permits():
    """rules/queues#1.16: before 4.1.8 without a state, before 3.13 nothing: the default stands."""
    asked = permitted_features(shown(transient_nonexcl_queues="permitted", global_qos="denied", other="permitted"), "4.3")
    assert asked == {"transient_nonexcl_queues": True, "global_qos": False, "queue_master_locator": False}
    assert to_permit(asked, "4.3") == ("transient_nonexcl_queues",)
    stateless = permitted_features(Api([{"name": "global_qos", "deprecation_phase": "permitted_by_default"}]), "4.0")
    assert stateless == permitted_features(Api(None), "3.10") == dict.fromkeys(asked, True)
    assert to_permit(stateless, "4.0") == ()


@pytest.mark.parametrize(
    ("permit", "version", "state", "said"),
    [
        (("transient_nonexcl_queues",), "4.3", "permitted", None),
        ((), "4.3", "denied", None),
        ((), "4.3", "permitted", "the broker permits transient_nonexcl_queues, and the file does not"),
        (("transient_nonexcl_queues",), "4.3", "denied", "which the file permits: take it out, or set"),
        ((), "4.2", "denied", "which RabbitMQ 4.2 permits: its configuration has"),
        ((), "4.2", "permitted", None),
    ],
)
def test_where_file_and_broker_disagree(permit, version, state, said):
    features = permitted_features(shown(transient_nonexcl_queues=state), version)
    found = features_unlike(permit, version, features)
    assert found is None if said is None else said in found
