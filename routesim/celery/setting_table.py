"""Every setting of Celery 5.7 in one of three classes: simulated, harmless, or not simulated though it would matter."""

from typing import Any

from routesim.named_tuples import NamedTuple

SIMULATED, HARMLESS, MATTERS = "simulated", "harmless", "not simulated"


class CelerySetting(NamedTuple):
    """`default` is Celery's own (None: nothing given), in seconds where it is a time.

    Of what is simulated, `kind` is what stands there, `meaning` what it does on the broker, and `worker_field` the option of a
    scenario's worker that it becomes as it is, where it is not the default. Of what would matter, `meaning` is what it
    changes, `where` what it needs for that (see `acts`), `imported` whether a scenario may hold it, and `refused` whether it
    is an error. What is harmless changes nothing about which messages there are, where they go and what becomes of them.
    """

    effect: str
    default: Any
    meaning: str = ""
    kind: str = ""
    worker_field: str | None = None
    where: str = ""
    imported: bool = True
    refused: bool = False


def simulated(kind: str, default: Any, meaning: str, worker_field: str | None = None) -> CelerySetting:
    return CelerySetting(SIMULATED, default, meaning, kind, worker_field)


def harmless(default: Any) -> CelerySetting:
    return CelerySetting(HARMLESS, default, "changes nothing about messages")


def matters(default: Any, meaning: str, *, where: str = "", imported: bool = True) -> CelerySetting:
    return CelerySetting(MATTERS, default, meaning, where=where, imported=imported)


def refused(default: Any, kind: str, meaning: str) -> CelerySetting:
    return CelerySetting(MATTERS, default, meaning, kind, imported=False, refused=True)


def said_of(setting: CelerySetting) -> str:
    """Its help."""
    return f"not simulated: {setting.meaning}" if setting.effect == MATTERS else setting.meaning


# `where`: results are messages (rpc://); the broker is Redis; no timezone is given.
RPC, REDIS, NO_ZONE = "rpc", "redis", "no timezone"

SETTINGS: dict[str, CelerySetting] = {
    "accept_content": harmless(("json",)),
    "arangodb_backend_settings": harmless(None),
    "azureblockblob_base_path": harmless(""),
    "azureblockblob_connection_timeout": harmless(20),
    "azureblockblob_container_name": harmless("celery"),
    "azureblockblob_read_timeout": harmless(120),
    "azureblockblob_retry_increment_base": harmless(2),
    "azureblockblob_retry_initial_backoff_sec": harmless(2),
    "azureblockblob_retry_max_attempts": harmless(3),
    "beat_cron_starting_deadline": simulated(
        "seconds", None, "a crontab that was missed for longer is not made up for when beat starts"
    ),
    "beat_enable_remote_control": matters(False, "beat has a queue of commands too, and answers ping"),
    "beat_max_loop_interval": harmless(0),
    "beat_remote_control_max_tick_age": harmless(None),
    "beat_schedule": matters({}, "here beats have their schedules under `beats:`", imported=False),
    "beat_schedule_filename": harmless("celerybeat-schedule"),
    "beat_scheduler": matters(
        "celery.beat:PersistentScheduler", "the schedule is somewhere else, a database say, which is not read"
    ),
    "beat_sync_every": harmless(0),
    "broker_channel_error_retry": matters(False, "a worker whose channel was closed for an error tries again, instead of ending"),
    "broker_connection_max_retries": matters(100, "how often a worker tries to connect again before it ends"),
    "broker_connection_retry": matters(True, "a worker that loses its connection ends, instead of connecting again"),
    "broker_connection_retry_on_startup": matters(
        None, "a worker that cannot connect when it starts ends, instead of trying again"
    ),
    "broker_connection_timeout": harmless(4),
    "broker_failover_strategy": harmless(None),
    "broker_heartbeat": simulated(
        "seconds",
        120,
        "pool solo: a task that outlasts two of them costs the connection; those of RabbitMQ itself, 60 s, are the longest",
    ),
    "broker_heartbeat_checkrate": harmless(3.0),
    "broker_host": harmless(None),
    "broker_login_method": harmless(None),
    "broker_native_delayed_delivery_queue_type": simulated(
        "queue type", "quorum", "the type of the queues in which countdowns wait"
    ),
    "broker_password": harmless(None),
    "broker_pool_acquire_timeout": harmless(None),
    "broker_pool_limit": harmless(10),
    "broker_port": harmless(None),
    "broker_read_url": matters(None, "workers consume from another broker", imported=False),
    "broker_transport": harmless(None),
    "broker_transport_options": simulated(
        "transport options", {}, "how the broker is spoken to: confirm_publish, visibility_timeout …"
    ),
    "broker_url": harmless(None),
    "broker_use_ssl": harmless(False),
    "broker_user": harmless(None),
    "broker_vhost": harmless(None),
    "broker_write_url": matters(None, "callers publish to another broker", imported=False),
    "cache_backend": harmless(None),
    "cache_backend_options": harmless({}),
    "cassandra_auth_kwargs": harmless(None),
    "cassandra_auth_provider": harmless(None),
    "cassandra_bundle_path": harmless(None),
    "cassandra_entry_ttl": harmless(None),
    "cassandra_keyspace": harmless(None),
    "cassandra_options": harmless({}),
    "cassandra_port": harmless(None),
    "cassandra_read_consistency": harmless(None),
    "cassandra_servers": harmless(None),
    "cassandra_table": harmless(None),
    "cassandra_write_consistency": harmless(None),
    "control_exchange": simulated("text", "celery", "the exchange of commands is this with .pidbox"),
    "control_queue_durable": simulated("boolean", False, "durable of each worker's queue of commands"),
    "control_queue_exclusive": simulated("boolean", True, "exclusive of each worker's queue of commands"),
    "control_queue_expires": simulated("seconds", 10, "x-expires of each worker's queue of commands"),
    "control_queue_ttl": simulated("seconds", 300, "x-message-ttl of each worker's queue of commands"),
    "cosmosdbsql_collection_name": harmless("celerycol"),
    "cosmosdbsql_consistency_level": harmless("Session"),
    "cosmosdbsql_database_name": harmless("celerydb"),
    "cosmosdbsql_max_retry_attempts": harmless(9),
    "cosmosdbsql_max_retry_wait_time": harmless(30),
    "couchbase_backend_settings": harmless(None),
    "database_create_tables_at_setup": harmless(True),
    "database_engine_callback": harmless(None),
    "database_engine_options": harmless({"pool_pre_ping": True, "pool_recycle": 3600}),
    "database_short_lived_sessions": harmless(False),
    "database_table_names": harmless(None),
    "database_table_schemas": harmless(None),
    "database_url": harmless(None),
    "elasticsearch_max_retries": harmless(None),
    "elasticsearch_retry_on_timeout": harmless(None),
    "elasticsearch_save_meta_as_text": harmless(True),
    "elasticsearch_timeout": harmless(None),
    "enable_utc": matters(True, "crontab is due at the hours of the machine, not of UTC", where=NO_ZONE),
    "event_exchange": simulated("text", "celeryev", "the exchange of events"),
    "event_queue_durable": simulated("boolean", False, "durable of the queues of events"),
    "event_queue_exclusive": simulated("boolean", True, "exclusive of the queues of events"),
    "event_queue_expires": simulated("seconds", 60, "x-expires of the queues of events"),
    "event_queue_prefix": simulated("text", "celeryev", "how the names of the queues of events begin"),
    "event_queue_ttl": simulated("seconds", 5, "x-message-ttl of the queues of events"),
    "event_serializer": harmless("json"),
    "gcs_base_path": harmless(""),
    "gcs_bucket": harmless(None),
    "gcs_project": harmless(None),
    "gcs_ttl": harmless(0),
    "imports": harmless(()),
    "include": harmless(()),
    "mongodb_backend_settings": harmless(None),
    "redis_backend_use_ssl": harmless(None),
    "redis_db": harmless(None),
    "redis_host": harmless(None),
    "redis_max_connections": harmless(None),
    "redis_password": harmless(None),
    "redis_port": harmless(None),
    "redis_retry_on_timeout": harmless(False),
    "redis_socket_connect_timeout": harmless(None),
    "redis_socket_keepalive": harmless(False),
    "redis_socket_timeout": harmless(120.0),
    "redis_username": harmless(None),
    "result_accept_content": harmless(None),
    "result_backend": simulated(
        "text", None, "rpc:// sends results as messages to a queue of the caller's; others need no broker"
    ),
    "result_backend_always_retry": harmless(False),
    "result_backend_base_sleep_between_retries_ms": harmless(10),
    "result_backend_max_retries": harmless(float("inf")),
    "result_backend_max_sleep_between_retries_ms": harmless(10000),
    "result_backend_transport_options": harmless({}),
    "result_cache_max": harmless(-1),
    "result_chord_expires": matters(None, "how long a chord's counter lives"),
    "result_chord_join_timeout": matters(3.0, "how long a chord waits for the results of its header"),
    "result_chord_retry_interval": matters(1.0, "how often a chord looks whether its header has ended"),
    "result_compression": harmless(None),
    "result_exchange": harmless("celeryresults"),
    "result_exchange_type": harmless("direct"),
    "result_expires": simulated("seconds", 86400, "x-expires of the queue of results"),
    "result_extended": harmless(False),
    "result_failure_expires": harmless(None),
    "result_persistent": simulated("boolean", None, "messages of results are persistent (rpc://)", "persistent_results"),
    "result_serializer": harmless("json"),
    "s3_access_key_id": harmless(None),
    "s3_base_path": harmless(None),
    "s3_bucket": harmless(None),
    "s3_endpoint_url": harmless(None),
    "s3_region": harmless(None),
    "s3_secret_access_key": harmless(None),
    "security_cert_store": harmless(None),
    "security_certificate": harmless(None),
    "security_digest": harmless("sha256"),
    "security_key": harmless(None),
    "security_key_password": harmless(None),
    "task_acks_late": simulated("boolean", False, "acknowledge when a task has ended instead of when it begins"),
    "task_acks_on_failure": simulated("boolean", None, "with acks_late: acknowledge after an exception (default), or reject"),
    "task_acks_on_failure_or_timeout": simulated("boolean", True, "both of the others, where they are not given"),
    "task_acks_on_timeout": simulated(
        "boolean", None, "with acks_late: acknowledge after the time limit (default), or put it back"
    ),
    "task_allow_error_cb_on_chord_header": matters(False, "an error callback of a chord is called for each task of its header"),
    "task_always_eager": refused(False, "boolean", "tasks run in the caller, and there are no messages to show"),
    "task_annotations": simulated("annotations", None, "options of tasks by name, and of all by *; they win over the tasks' own"),
    "task_compression": harmless(None),
    "task_create_missing_queue_exchange_type": simulated(
        "exchange type", None, "the type of the exchange of a queue that nobody configured"
    ),
    "task_create_missing_queue_type": simulated("text", "classic", "the type of a queue that nobody configured"),
    "task_create_missing_queues": simulated(
        "boolean", True, "a queue that nobody configured is created when something is sent to it"
    ),
    "task_default_delivery_mode": simulated("delivery mode", 2, "2 persistent (default), 1 transient"),
    "task_default_exchange": simulated("text", None, "default: the name of the default queue"),
    "task_default_exchange_type": simulated("exchange type", "direct", "the type of the default exchange"),
    "task_default_priority": simulated("number", None, "the priority of a task that gives none"),
    "task_default_queue": simulated("text", "celery", "where tasks without a route go"),
    "task_default_queue_type": simulated("text", "classic", "classic (default) or quorum, where no task_queues are given"),
    "task_default_rate_limit": simulated("rate", None, "10/m and the like, of each worker"),
    "task_default_routing_key": simulated("text", None, "default: the name of the default queue"),
    "task_eager_propagates": harmless(False),
    "task_ignore_result": simulated("boolean", False, "no results are sent"),
    "task_inherit_parent_priority": simulated("boolean", False, "what a task calls, and what follows it, has its priority"),
    "task_protocol": refused(2, "protocol", "messages of protocol 1 look otherwise; Celery sends protocol 2 since 4.0"),
    "task_publish_retry": matters(True, "a publish that meets a lost connection is not tried again"),
    "task_publish_retry_policy": matters(
        {"max_retries": 3, "interval_start": 0, "interval_max": 1, "interval_step": 0.2},
        "how long a publish that meets a lost connection is tried again",
    ),
    "task_queue_max_priority": simulated("number", None, "x-max-priority of every queue"),
    "task_queues": simulated(
        "queues", None, "name: {exchange, exchange_type, routing_key, queue_arguments …}; default: the default queue"
    ),
    "task_reject_on_worker_lost": simulated("boolean", None, "with acks_late: a task whose process died is put back"),
    "task_remote_tracebacks": harmless(False),
    "task_repr_maxlevels": harmless(3),
    "task_retry_on_worker_lost": simulated("boolean", False, "with acks_late: a task whose process died is retried"),
    "task_routes": simulated("routes", None, "name or glob: queue, or {queue, exchange, routing_key, priority}"),
    "task_send_sent_event": simulated("boolean", False, "the caller publishes an event task-sent"),
    "task_serializer": harmless("json"),
    "task_soft_time_limit": simulated("seconds", None, "an exception in the task after so long"),
    "task_store_eager_result": harmless(False),
    "task_store_errors_even_if_ignored": matters(False, "a failed task sends its result though results are ignored", where=RPC),
    "task_time_limit": simulated("seconds", None, "the process is killed after so long"),
    "task_track_started": matters(
        False, "each task sends one more message when it starts, STARTED, to the queue of results", where=RPC
    ),
    "timezone": simulated("time zone", None, "crontab is due at the hours of this time zone; default UTC"),
    "worker_agent": harmless(None),
    "worker_autoscaler": matters("celery.worker.autoscale:Autoscaler", "how the number of processes changes"),
    "worker_cancel_long_running_tasks_on_connection_loss": simulated(
        "boolean", False, "running acks_late tasks are killed when the connection is lost", "cancels_on_loss"
    ),
    "worker_concurrency": simulated("number", None, "processes of a worker's pool; 1 here, in Celery one for each processor"),
    "worker_consumer": matters(
        "celery.worker.consumer:Consumer", "another program decides what a worker declares, consumes and acknowledges"
    ),
    "worker_deduplicate_successful_tasks": simulated(
        "boolean", False, "with acks_late: a task that has succeeded and is delivered again is acknowledged without a run"
    ),
    "worker_detect_quorum_queues": simulated(
        "boolean", True, "prefetch counts for each consumer as soon as a queue is a quorum queue"
    ),
    "worker_direct": simulated("boolean", False, "each worker has a queue of its own besides"),
    "worker_disable_prefetch": simulated(
        "boolean", False, "on Redis: a worker takes a message only when a process is free", "fetches_when_free"
    ),
    "worker_disable_rate_limits": simulated("boolean", False, "rate limits have no effect"),
    "worker_enable_prefetch_count_reduction": simulated(
        "boolean", True, "after a lost connection the prefetch begins smaller", "reduces_prefetch"
    ),
    "worker_enable_remote_control": simulated("boolean", True, "each worker listens to commands"),
    "worker_enable_soft_shutdown_on_idle": simulated(
        "boolean", False, "a soft shutdown waits out its time even when nothing runs", "soft_shutdown_on_idle"
    ),
    "worker_eta_task_limit": simulated("number", None, "the prefetch grows for waiting tasks up to this", "eta_limit"),
    "worker_hijack_root_logger": harmless(True),
    "worker_log_color": harmless(None),
    "worker_log_datefmt": harmless(None),
    "worker_log_format": harmless("[%(asctime)s: %(levelname)s/%(processName)s] %(message)s"),
    "worker_lost_wait": matters(10.0, "how long after the death of a process its task is taken for lost"),
    "worker_max_memory_per_child": harmless(None),
    "worker_max_tasks_per_child": harmless(None),
    "worker_pool": simulated("pool", "prefork", "who runs tasks, and what can be done to one that runs", "pool"),
    "worker_pool_putlocks": matters(True, "tasks are given to the pool before a process is free, and so acknowledged sooner"),
    "worker_pool_restarts": harmless(False),
    "worker_pool_start_method": harmless("fork"),
    "worker_prefetch_multiplier": simulated("number", 4, "prefetch is this times the concurrency; 0: no limit"),
    "worker_proc_alive_timeout": harmless(4.0),
    "worker_redirect_stdouts": harmless(True),
    "worker_redirect_stdouts_level": harmless("WARNING"),
    "worker_send_task_events": simulated("boolean", False, "workers publish events of their tasks (-E)"),
    "worker_soft_shutdown_timeout": simulated(
        "seconds",
        0.0,
        "a worker that gets QUIT lets running tasks end for so long before what it holds comes back",
        "soft_shutdown",
    ),
    "worker_state_db": matters(None, "ids that were revoked stay revoked when a worker starts again"),
    "worker_task_log_datefmt": harmless(None),
    "worker_task_log_format": harmless("[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s"),
    "worker_timer": harmless(None),
    "worker_timer_precision": harmless(1.0),
}
