"""What differs between RabbitMQ's versions: one table of named differences, resolved to the `Rules` of one version.

A rule reads `rules.some_name`; no rule compares version numbers itself. `source` names the rule,
or the place in RabbitMQ's source, that states the difference.
"""

from functools import cache, lru_cache
from typing import Any

from routesim.diagnostics import nearest
from routesim.named_tuples import NamedTuple

# The newest patch release known of every minor version.
NEWEST_PATCH = {
    "3.10": "3.10.25",
    "3.11": "3.11.28",
    "3.12": "3.12.14",
    "3.13": "3.13.7",
    "4.0": "4.0.9",
    "4.1": "4.1.8",
    "4.2": "4.2.9",
    "4.3": "4.3.6",
}
NEWEST = "4.3"


class HeldAgainst(NamedTuple):
    """A real broker of which runs are recorded, and how many: the profile of its patch repeats each of them."""

    broker: str
    runs: int


# By minor version. The live tests hold the same profiles to brokers of the same versions.
HELD_AGAINST = {"3.10": HeldAgainst("3.10.8", 351), "4.0": HeldAgainst("4.0.5", 197), "4.3": HeldAgainst("4.3.6", 268)}


class VersionDifference(NamedTuple):
    """`first` holds in 3.10; each later `(version, value)` of `then` replaces it from that patch on."""

    what: str
    first: Any
    then: tuple[tuple[str, Any], ...]
    source: str


class Rules(NamedTuple):
    """The rules of one version. Each name is a row of `DIFFERENCES`, which says what it means."""

    version: str
    unknown_exchange_type_closes: str
    headers_strict: bool
    delivery_mode_checked: bool
    user_id_checked_last: bool
    dead_letter_key_removes_cc: bool
    deaths_are_annotations: bool
    client_x_death: str
    message_size_limit: int
    exchange_types_added: tuple[str, ...]
    topic_hash_words_limit: int | None
    topic_empty_keys_shared: bool
    direct_reply_is_a_queue: bool
    reply_queue_bind_refused: bool
    hash_weight_limit: int | None
    hash_header_typed: bool
    modulus_hash_order: str
    failed_replay_unbinds: bool
    exchanges_outlive_restarts: bool
    transient_queues_denied: bool
    global_qos_denied: bool
    master_locator_denied: bool
    policy_names_queue_types: bool
    negative_delivery_limit_policy: bool
    mirroring_keys: bool
    cancel_dispatches: bool
    max_priority_zero_levels: int
    queue_versions: tuple[int, ...]
    texts_say_stream: bool
    stream_refuses_nack: bool
    queue_mode_checked: bool
    max_age_without_digit_crashes: bool
    cancel_on_ha_failover: bool
    quorum_default_limit: int | None
    quorum_negative_limit_is_none: bool
    queues_by_name: str
    auto_delete_outlives_restarts: bool
    quorum_in_get_text: str
    replay_nowhere_text: str
    quorum_nack_counts: bool
    dead_letter_counts: str
    quorum_returns_first: bool
    quorum_limit_death_credit: int
    quorum_count_headers: str
    quorum_first_get_count: bool
    quorum_priorities: str
    quorum_single_active: str
    quorum_consumer_order: str
    quorum_drops_reversed: bool
    quorum_limit_end_unblocks: bool
    quorum_bytes_with_properties: bool
    quorum_expires_policy_wins: bool
    quorum_delayed_retry: bool
    acknowledgement_timeout: str
    consumer_timeout_argument: bool
    consumer_timeouts_checked: bool
    quorum_text_limit_is_none: bool
    stream_takes_dead_letters: bool
    stream_keeps_nested: bool
    tx_queue_gone: str
    cancel_ok_taken: bool
    body_frames_checked: bool
    bad_bindings_skipped: bool
    import_gives_default_type: bool
    import_fills_queue_flags: bool
    import_fills_exchange_durable: bool
    celery_limits_channel: bool

    def is_at_least(self, since: str) -> bool:
        """Whether this version is `since` (`4.0.0`) or a later one; "" is the first of all."""
        return not since or _is_at_least(self.version, since)


DIFFERENCES: dict[str, VersionDifference] = {
    "unknown_exchange_type_closes": VersionDifference(
        "an unknown exchange type closes", "connection", (("3.13.3", "channel"),), "rules/routing#C2"
    ),
    "headers_strict": VersionDifference(
        "a headers exchange compares integers, floats and timestamps strictly", False, (("3.13.0", True),),
        "rules/routing#H7, rules/routing#H8"
    ),
    "delivery_mode_checked": VersionDifference(
        "a delivery mode other than 1 or 2 is refused", True, (("3.13.0", False),), "rules/routing#U14"
    ),
    "user_id_checked_last": VersionDifference(
        "`user_id` is checked after `expiration`, CC and BCC", False, (("4.0.0", True),), "rules/routing#U2"
    ),
    "dead_letter_key_removes_cc": VersionDifference(
        "x-dead-letter-routing-key removes the CC header", True, (("3.13.0", False),), "rules/routing#D15"
    ),
    "deaths_are_annotations": VersionDifference(
        "deaths are annotations: newest first, x-last-death-* set, x-death not visible to a headers exchange",
        False, (("3.13.0", True),), "rules/routing#D10, rules/routing#D13, rules/routing#D18",
    ),
    "client_x_death": VersionDifference(
        "an x-death header sent by a client is", "trusted", (("3.13.0", "recovered"), ("4.0.0", "ignored")), "rules/routing#D14"
    ),
    "message_size_limit": VersionDifference(
        "default limit of a message's body in bytes", 134217728, (("4.0.0", 16777216),), "rules/routing#U4"
    ),
    "exchange_types_added": VersionDifference(
        "exchange types that were not there before", (), (("4.0.0", ("x-local-random",)),), "rules/routing#L2"
    ),
    "topic_hash_words_limit": VersionDifference(
        "`#` words that a new topic binding may have", None, (("4.3.5", 2),), "rules/routing#T5"
    ),
    "topic_empty_keys_shared": VersionDifference(
        "a message with an empty key to a topic exchange also goes where other topic exchanges bind an empty key", False,
        (("4.3.0", True), ("4.3.1", False)), "rules/routing#T7",
    ),
    "direct_reply_is_a_queue": VersionDifference(
        "a direct reply counts as routed for `mandatory`", False, (("4.2.0", True),), "rules/routing#U23, rules/routing#U24"
    ),
    "reply_queue_bind_refused": VersionDifference(
        "binding a direct reply-to address is refused with 403", False, (("4.2.6", True),), "rules/routing#B3"
    ),
    "hash_weight_limit": VersionDifference(
        "largest weight of a consistent-hash binding", None, (("4.2.6", 10000),), "rules/routing#G2"
    ),
    "hash_header_typed": VersionDifference(
        "the consistent hash of a header includes its wire type", True, (("3.13.0", False),), "rules/routing#G5, rules/routing#G6"
    ),
    "modulus_hash_order": VersionDifference(
        "x-modulus-hash counts", "bindings", (("4.3.0", "destinations"),), "rules/routing#M2"
    ),
    "failed_replay_unbinds": VersionDifference(
        "a replay of x-recent-history that reaches no queue undoes the binding that asked for it", True, (("3.12.0", False),),
        "rules/routing#Y4",
    ),
    "exchanges_outlive_restarts": VersionDifference(
        "non-durable exchanges, hash rings and recent histories survive a restart (Khepri)", False, (("4.2.0", True),),
        "rules/routing#C8, rules/routing#G7, rules/routing#Y5",
    ),
    "transient_queues_denied": VersionDifference(
        "non-durable queues that are not exclusive are refused", False, (("4.3.0", True),), "rules/queues#1.3"
    ),
    "global_qos_denied": VersionDifference(
        "basic.qos(global=true) is carried out as global=false", False, (("4.3.0", True),), "rules/queues#3.7"
    ),
    "master_locator_denied": VersionDifference(
        "x-queue-master-locator, and the policy key, are refused", False, (("4.3.0", True),), "rules/queues#1.16"
    ),
    "policy_names_queue_types": VersionDifference(
        "apply-to may name classic_queues, quorum_queues, streams", False, (("3.12.0", True),), "rules/routing#O1"
    ),
    "negative_delivery_limit_policy": VersionDifference(
        "a policy may set a delivery limit below 0", False, (("4.0.0", True),), "rules/routing#O10"
    ),
    "mirroring_keys": VersionDifference("ha-* policy keys exist", True, (("4.0.0", False),), "rules/routing#O10"),
    "cancel_dispatches": VersionDifference(
        "cancelling a consumer of a classic queue dispatches at once", False, (("4.0.0", True),), "rules/queues#3.2"
    ),
    "max_priority_zero_levels": VersionDifference(
        "highest level of a queue declared with x-max-priority 0", 0, (("3.13.0", 1),), "rules/queues#1.11"
    ),
    "queue_versions": VersionDifference("values of x-queue-version", (1, 2), (("4.3.0", (2,)),), "rules/queues#1.11"),
    "texts_say_stream": VersionDifference(
        "refusals of a stream call it stream and not stream queues", False, (("4.0.0", True),), "rules/queues#8.2"
    ),
    "stream_refuses_nack": VersionDifference(
        "basic.nack and basic.reject of a stream's message close the connection with 540", True, (("3.13.0", False),),
        "rules/queues#8.2",
    ),
    "queue_mode_checked": VersionDifference(
        "x-queue-mode must be default or lazy", True, (("4.3.0", False),), "rabbit_amqqueue.erl, v4.2.9 and v4.3.0"
    ),
    "max_age_without_digit_crashes": VersionDifference(
        "an x-max-age or x-stream-offset without a digit at its beginning closes the connection with 541", True,
        (("4.2.7", False), ("4.3.0", True), ("4.3.1", False)), "rabbit_amqqueue.erl, check_max_age, by tag",
    ),
    "cancel_on_ha_failover": VersionDifference(
        "the consumer argument x-cancel-on-ha-failover is checked", True, (("4.0.0", False),), "rules/queues#3.1"
    ),
    "quorum_default_limit": VersionDifference(
        "delivery limit of a quorum queue that sets none", None, (("4.0.0", 20),), "rules/queues#2.10"
    ),
    "quorum_negative_limit_is_none": VersionDifference(
        "a negative delivery limit means no limit (before: 0)", False, (("4.0.0", True),), "rules/queues#2.10"
    ),
    "queues_by_name": VersionDifference(
        "the order, by their names, in which the queues of one publish mostly get it", "descending", (("4.0.0", "ascending"),),
        "rules/routing#R9",
    ),
    "auto_delete_outlives_restarts": VersionDifference(
        "a durable auto-delete queue with consumers is still there after a clean restart", True, (("4.0.0", False),),
        "rules/queues#1.5",
    ),
    "quorum_in_get_text": VersionDifference(
        "basic.get from a quorum queue with a single active consumer is refused as not supported by", "quorum",
        (("4.2.0", '<<"quorum">>'),), "rules/queues#3.10",
    ),
    "replay_nowhere_text": VersionDifference(
        "a replay of x-recent-history that reaches no queue is refused with", "INTERNAL_ERROR",
        (("4.0.0", "could not find queue/exchange ''"),), "rules/routing#Y4",
    ),
    "quorum_nack_counts": VersionDifference(
        "basic.nack and recover count towards the delivery limit", True, (("4.3.0", False),), "rules/queues#2.10"
    ),
    "dead_letter_counts": VersionDifference(
        "queues whose failed deliveries a dead letter brings along", "none", (("4.0.0", "quorum"), ("4.3.0", "all")),
        "rules/routing#D22",
    ),
    "quorum_returns_first": VersionDifference(
        "a quorum queue without a delivery limit puts what is returned before everything else", False, (("4.3.0", True),),
        "rules/queues#2.8",
    ),
    "quorum_limit_death_credit": VersionDifference(
        "credit that a consumer gets back for a message that dies of its delivery limit", 2, (("3.12.0", 1),),
        "rabbit_fifo.erl, return_one and return/5, v3.10.8 and v3.12.14; recorded",
    ),
    "quorum_count_headers": VersionDifference(
        "count headers of a quorum queue's redelivery", "x-delivery-count",
        (("4.3.0", "x-acquired-count and x-delivery-count"),), "rules/queues#2.9",
    ),
    "quorum_first_get_count": VersionDifference(
        "the first basic.get carries x-delivery-count 0", True, (("3.12.0", False),), "rules/queues#2.9"
    ),
    "quorum_priorities": VersionDifference(
        "message priorities of a quorum queue", "none", (("4.0.0", "two"), ("4.3.0", "strict")), "rules/queues#2.7"
    ),
    "quorum_single_active": VersionDifference(
        "the next single active consumer of a quorum queue", "fifo", (("4.0.0", "priority"),), "rules/queues#3.10"
    ),
    "quorum_consumer_order": VersionDifference(
        "a quorum queue sends its batches in the order of", "tag", (("4.0.0", "registration"),), "rules/queues#3.3"
    ),
    "quorum_drops_reversed": VersionDifference(
        "several messages dropped at once are dead-lettered newest first", True, (("4.2.1", False),),
        "rules/queues#6.3; rabbit_fifo.erl, evaluate_limit, v4.2.0 and v4.2.1",
    ),
    "quorum_limit_end_unblocks": VersionDifference(
        "publishers that reject-publish of a quorum queue has stopped go on when its limits are taken away", False,
        (("4.0.0", True),), "rules/queues#6.5, rabbit_fifo.erl evaluate_limit, v3.13.7 and v4.0.0",
    ),
    "quorum_bytes_with_properties": VersionDifference(
        "a quorum queue's max-length-bytes counts properties too", False, (("4.3.0", True),), "rules/queues#6.2"
    ),
    "quorum_expires_policy_wins": VersionDifference(
        "of x-expires and a policy's expires a quorum queue takes the policy's (then: the smaller)", True,
        (("4.0.0", False),), "rules/routing#O8",
    ),
    "quorum_delayed_retry": VersionDifference("quorum queues can delay a retry", False, (("4.3.0", True),), "rules/queues#2.11"),
    "acknowledgement_timeout": VersionDifference(
        "an overdue acknowledgement closes the", "channel", (("4.3.0", "delivery"),), "rules/queues#5.10"
    ),
    "consumer_timeout_argument": VersionDifference(
        "queues may set their own acknowledgement timeout", False, (("3.12.0", True),), "rules/queues#5.10"
    ),
    "consumer_timeouts_checked": VersionDifference(
        "x-consumer-timeout of queues and consumers must be an integer of at least 0", False, (("4.3.2", True),),
        "rabbit_amqqueue.erl, declare_args and consume_args, v4.3.1 and v4.3.2",
    ),
    "quorum_text_limit_is_none": VersionDifference(
        "an x-delivery-limit that is no number means no limit (then: the default)", True, (("4.2.5", False),),
        "rules/queues#2.10",
    ),
    "stream_takes_dead_letters": VersionDifference(
        "a dead letter comes into a stream, at least once or not", False, (("3.12.0", True),),
        "rules/queues#8.7; rabbit_stream_queue.erl, deliver (stateless), v3.11.28 and v3.12.0",
    ),
    "stream_keeps_nested": VersionDifference(
        "a stream keeps CC and x-* headers that hold lists or tables", False, (("3.13.0", True),),
        "rules/queues#8.1; rabbit_msg_record.erl, v3.12.14; mc_amqpl.erl, convert_to, v3.13.0",
    ),
    "tx_queue_gone": VersionDifference(
        "a commit of a publish whose queue has been deleted since is", "carried out", (("3.13.0", "406"), ("4.3.0", "506")),
        "rules/queues#4.7; rabbit_channel.erl, deliver_to_queues, v3.12.14, v3.13.0 and v4.3.0",
    ),
    "cancel_ok_taken": VersionDifference(
        "basic.cancel-ok by a client is carried out (before: the connection is closed with 503)", False, (("4.3.0", True),),
        "rabbit_channel.erl, handle_method, v4.2.9 and v4.3.0; live 3.10.8, 4.0.5",
    ),
    "body_frames_checked": VersionDifference(
        "content that is longer than 512 MiB, or than its header says, closes the connection with 501",
        False, (("4.2.6", True),), "rabbit_command_assembler.erl, process, v4.2.5 and v4.2.6; live 3.10.8, 4.0.5, 4.3.6",
    ),
    "bad_bindings_skipped": VersionDifference(
        "an import leaves out bindings that lead nowhere", True, (("3.13.6", False),), "rules/routing#F21"
    ),
    "import_gives_default_type": VersionDifference(
        "an import gives queues the default queue type of their vhost", False, (("3.11.0", True),),
        "rules/routing#F10; rabbit_definitions.erl, add_queue_int, v3.10.25 and v3.11.0",
    ),
    "import_fills_queue_flags": VersionDifference(
        "an import takes a queue that does not say whether it is durable or auto-delete", False, (("3.11.0", True),),
        "rules/routing#F20; rabbit_definitions.erl, add_queue_int, v3.10.25 and v3.11.0",
    ),
    "import_fills_exchange_durable": VersionDifference(
        "an import takes an exchange that does not say whether it is durable", False, (("4.2.2", True),),
        "rules/routing#F20; rabbit_definitions.erl, add_exchange_int, v4.2.1 and v4.2.2",
    ),
    "celery_limits_channel": VersionDifference(
        "a Celery worker limits its channel, not each consumer", True, (("4.0.0", False),), "rules/celery#2.1"
    ),
}  # fmt: skip


class UnknownVersion(Exception):
    """No profile of this version; the text names what is known."""


def parse(version: str) -> tuple[int, ...]:
    """`4.3` or `4.3.4` as a tuple of three integers; a minor version means its newest known patch.

    Raises `UnknownVersion` when it is not one of the known minor versions.
    """
    parts = version.split(".")
    minor = ".".join(parts[:2])
    known = minor in NEWEST_PATCH and len(parts) in (2, 3) and all(part.isascii() and part.isdigit() for part in parts)
    if not known:
        near = nearest(minor, NEWEST_PATCH) if version else None
        raise UnknownVersion(
            f"known versions are {', '.join(NEWEST_PATCH)}, each with or without a patch number"
            + (f"; did you mean {near}?" if near else "")
        )
    return numbers(NEWEST_PATCH[minor] if len(parts) == 2 else version)


@cache
def _is_at_least(version: str, since: str) -> bool:
    return parse(version) >= numbers(since)


def numbers(version: str) -> tuple[int, ...]:
    """`3.12.7` as (3, 12, 7)."""
    return tuple(int(part) for part in version.split("."))


def value_in(difference: VersionDifference, version: str) -> Any:
    """What holds in this version. Raises `UnknownVersion`."""
    wanted, value = parse(version), difference.first
    for since, later in difference.then:
        if wanted >= numbers(since):
            value = later
    return value


def rules(version: str = NEWEST) -> Rules:
    """The rules of `version` (`4.1`, `3.13.2`). Raises `UnknownVersion`."""
    return _rules(str(version))


@lru_cache(maxsize=64)
def _rules(version: str) -> Rules:
    return Rules(version, **{name: value_in(difference, version) for name, difference in DIFFERENCES.items()})
