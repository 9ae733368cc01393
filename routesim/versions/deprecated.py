"""RabbitMQ's deprecated features: which a version knows, whether it denies them, and what that changes here.

An operator permits one with `deprecated_features.permit.NAME = true` in RabbitMQ's configuration; a scenario says the same by
`broker: {permit: [NAME]}` (rules/queues#1.16).
"""

from collections.abc import Iterable
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.versions.differences import Rules


class DeprecatedFeature(NamedTuple):
    """`since`: the version that came to know it as one. `denied`: since when it is denied by default; `removed`: since when
    nothing permits it any more; None: not yet. `rule`: the named difference that holds where it is denied; None: what it is about
    is not simulated. `source`: where RabbitMQ declares it. `instead`: what to do without it."""

    since: str
    denied: str | None
    removed: str | None
    rule: str | None
    source: str
    instead: str = ""


# By the attributes `rabbit_deprecated_feature` of v3.13.0 to v4.3.5.
FEATURES = {
    "amqp_address_v1": DeprecatedFeature("4.0.0", "4.3.0", None, None, "rabbit_amqp_session.erl"),
    "amqp_filter_set_bug": DeprecatedFeature("4.1.0", "4.3.0", None, None, "rabbit_amqp_session.erl"),
    "classic_queue_mirroring": DeprecatedFeature("3.13.0", None, "4.0.0", None, "rabbit_mirror_queue_misc.erl"),
    "global_qos": DeprecatedFeature(
        "3.13.0", "4.3.0", None, "global_qos_denied", "rabbit_channel.erl", "set prefetch on the consumers"
    ),
    "management_metrics_collection": DeprecatedFeature("3.13.0", None, None, None, "rabbit_mgmt_agent_config.erl"),
    "queue_master_locator": DeprecatedFeature(
        "4.0.0",
        "4.3.0",
        None,
        "master_locator_denied",
        "rabbit_queue_location.erl",
        "use queue-leader-locator (client-local or balanced)",
    ),
    "ram_node_type": DeprecatedFeature("3.13.0", None, "4.3.0", None, "rabbit_mnesia.erl"),
    "transient_nonexcl_queues": DeprecatedFeature(
        "3.13.0",
        "4.3.0",
        None,
        "transient_queues_denied",
        "rabbit_amqqueue.erl",
        "make the queue durable or exclusive",
    ),
}
LOCATOR_POLICY_DENIED = "use of deprecated queue-master-locator argument is not permitted"  # of a policy, in RabbitMQ's words


def permitting(rules: Rules, permitted: Iterable[str]) -> Rules:
    """The rules of a broker whose configuration permits these features."""
    found = [FEATURES[name].rule for name in permitted if name in FEATURES]
    switched: dict[str, Any] = {rule: False for rule in found if rule is not None and getattr(rules, rule)}
    return rules._replace(**switched) if switched else rules


def without_effect(rules: Rules, name: str) -> str | None:
    """Why this version does not care whether the feature is permitted; None when it does."""
    feature = FEATURES[name]
    if feature.removed is not None and rules.is_at_least(feature.removed):
        return f"RabbitMQ {_minor(feature.removed)} removed it: nothing permits it any more"
    return None


def denial(name: str) -> str:
    """RabbitMQ's words where a feature that is denied by default is used (`rabbit_deprecated_features:generate_warnings1`). There
    each sentence has a line of its own, and a client gets the first 252 bytes."""
    return (
        f"Feature `{name}` is deprecated. By default, this feature is not permitted anymore. The feature will be removed from a "
        "future major RabbitMQ version, regardless of the configuration; actual version to be determined. To continue using this "
        "feature when it is not permitted by default, set the following parameter in your configuration: "
        f'"deprecated_features.permit.{name} = true"'
    )


def cure(name: str) -> str:
    """What to do without it, and how a scenario permits it."""
    return f"{FEATURES[name].instead}, or say that the broker permits it: `broker: {{permit: [{name}]}}`"


def denied_in(text: str) -> str | None:
    """The feature that a refusal is about; None: it is about none."""
    if LOCATOR_POLICY_DENIED in text:
        return "queue_master_locator"
    return next((name for name in FEATURES if f"Feature `{name}` is deprecated." in text), None)


def _minor(version: str) -> str:
    return version.rpartition(".")[0]
