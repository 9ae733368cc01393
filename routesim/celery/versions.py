"""What differs between Celery's versions, in one table: rules read `rules.name`, never a version."""

from typing import Any

from routesim.named_tuples import NamedTuple


class Difference(NamedTuple):
    """`before` holds up to the version before `since`, `after` from it on."""

    since: str
    before: Any
    after: Any
    what: str
    source: str


VERSIONS = ("5.5", "5.6", "5.7")
NEWEST = VERSIONS[-1]
DIFFERENCES: dict[str, Difference] = {
    "exclusive_inboxes": Difference(
        "5.7", False, True, "queues of commands, answers and events belong to their connection (control_queue_exclusive, "
        "event_queue_exclusive); before, RabbitMQ 4.3 refuses them, and no worker starts", "celery/app/defaults.py",
    ),
    "limits_channels": Difference(
        "5.6", True, False, "a worker limits its channel, and not each consumer, on RabbitMQ 4.0 and later too; it comes with "
        "kombu below 5.7, which 5.5 is bound to, and 5.6 may be installed with",
        "kombu/transport/pyamqp.py:qos_semantics_matches_spec",
    ),
    "lowers_consumers": Difference(
        "5.7", True, False, "after a lost connection the limit is lowered where it is each consumer's too, and on RabbitMQ stays "
        "so: basic.qos does not reach a consumer that is there",
        "celery/worker/consumer/consumer.py:on_connection_error_after_connected",
    ),
    "delays_broadcasts": Difference(
        "5.7", True, False, "native delayed delivery leads delayed tasks of the default queue to Broadcast queues too, so that "
        "every worker runs them besides", "celery/worker/consumer/delayed_delivery.py:_bind_queues",
    ),
    "reject_is_failure": Difference(
        "5.7", False, True, "a task whose body raises Reject without requeueing has failed too",
        "celery/worker/request.py:on_failure",
    ),
    "marks_beats": Difference(
        "5.7", False, True, "a task that beat sends has the header celery_beat_task", "celery/beat.py:Scheduler.apply_async",
    ),
}  # fmt: skip
# Settings, and options of tasks, that an earlier version does not know: it passes over them.
SETTINGS_SINCE: dict[str, str] = {
    **dict.fromkeys((
        "control_queue_durable", "control_queue_exclusive", "event_queue_durable", "event_queue_exclusive",
        "task_create_missing_queue_exchange_type", "task_create_missing_queue_type", "worker_disable_prefetch",
        "worker_eta_task_limit",
    ), "5.6"),
    **dict.fromkeys((
        "beat_enable_remote_control", "beat_remote_control_max_tick_age", "broker_pool_acquire_timeout",
        "database_engine_callback", "result_chord_expires", "result_failure_expires", "task_acks_on_failure",
        "task_acks_on_timeout", "task_repr_maxlevels", "task_retry_on_worker_lost", "worker_log_datefmt",
        "worker_pool_start_method", "worker_task_log_datefmt",
    ), "5.7"),
}  # fmt: skip
OPTIONS_SINCE: dict[str, str] = dict.fromkeys(("acks_on_failure", "acks_on_timeout", "retry_on_worker_lost"), "5.7")
EXCLUSIVE = ("control_queue_exclusive", "event_queue_exclusive")  # the settings of which `exclusive_inboxes` is the default


class UnknownCelery(LookupError):
    """No such version is known; the text says which are."""


class CeleryRules(NamedTuple):
    version: str
    exclusive_inboxes: bool
    limits_channels: bool
    lowers_consumers: bool
    delays_broadcasts: bool
    reject_is_failure: bool
    marks_beats: bool

    def knows(self, since: str | None) -> bool:
        """Whether what is there since that version (None: ever since) is there."""
        return since is None or VERSIONS.index(since) <= VERSIONS.index(self.version)


def known_version(text: str) -> str | None:
    """The version that a patch or a pre-release such as 5.6.3 or 5.7.0b1 is of; None: none that is known."""
    found = ".".join(text.split(".")[:2])
    return found if found in VERSIONS else None


def celery_rules(version: str = NEWEST) -> CeleryRules:
    """Of a version such as 5.6, or of a patch of it such as 5.6.3. Raises `UnknownCelery`."""
    known = known_version(version)
    if known is None:
        raise UnknownCelery(f"known are {', '.join(VERSIONS)}")
    at = VERSIONS.index(known)
    found = {name: row.after if VERSIONS.index(row.since) <= at else row.before for name, row in DIFFERENCES.items()}
    return CeleryRules(known, **found)
