"""Celery's settings: those that mean something for messages, with their defaults, and the others by name."""

from typing import Any, NamedTuple


class CelerySetting(NamedTuple):
    """`kind` is what stands there; `default` is Celery's own (None: nothing given); `meaning` is what it does on RabbitMQ.
    `worker_field`: the option of a scenario's worker that it becomes as it is, where it is not the default."""

    kind: str
    default: Any
    meaning: str
    worker_field: str | None = None


SETTINGS: dict[str, CelerySetting] = {
    "broker_native_delayed_delivery_queue_type": CelerySetting(
        "queue type", "quorum", "the type of the queues in which countdowns wait"
    ),
    "broker_transport_options": CelerySetting("mapping", {}, "confirm_publish: every publish waits for the broker's answer"),
    "control_exchange": CelerySetting("text", "celery", "the exchange of commands is this with .pidbox"),
    "control_queue_durable": CelerySetting("boolean", False, "durable of each worker's queue of commands"),
    "control_queue_exclusive": CelerySetting("boolean", True, "exclusive of each worker's queue of commands"),
    "control_queue_expires": CelerySetting("seconds", 10, "x-expires of each worker's queue of commands"),
    "control_queue_ttl": CelerySetting("seconds", 300, "x-message-ttl of each worker's queue of commands"),
    "event_exchange": CelerySetting("text", "celeryev", "the exchange of events"),
    "event_queue_durable": CelerySetting("boolean", False, "durable of the queues of events"),
    "event_queue_exclusive": CelerySetting("boolean", True, "exclusive of the queues of events"),
    "event_queue_expires": CelerySetting("seconds", 60, "x-expires of the queues of events"),
    "event_queue_prefix": CelerySetting("text", "celeryev", "how the names of the queues of events begin"),
    "event_queue_ttl": CelerySetting("seconds", 5, "x-message-ttl of the queues of events"),
    "result_backend": CelerySetting(
        "text", None, "rpc:// sends results as messages to a queue of the caller's; others need no broker"
    ),
    "result_expires": CelerySetting("seconds", 86400, "x-expires of the queue of results"),
    "task_always_eager": CelerySetting("boolean", False, "not simulated: tasks run in the caller and no message is sent"),
    "task_acks_late": CelerySetting("boolean", False, "acknowledge when a task has ended instead of when it begins"),
    "task_acks_on_failure": CelerySetting("boolean", None, "with acks_late: acknowledge after an exception (default), or reject"),
    "task_acks_on_failure_or_timeout": CelerySetting("boolean", True, "both of the others, where they are not given"),
    "task_acks_on_timeout": CelerySetting(
        "boolean", None, "with acks_late: acknowledge after the time limit (default), or put it back"
    ),
    "task_create_missing_queue_exchange_type": CelerySetting(
        "exchange type", None, "the type of the exchange of a queue that nobody configured"
    ),
    "task_create_missing_queue_type": CelerySetting("text", "classic", "the type of a queue that nobody configured"),
    "task_create_missing_queues": CelerySetting(
        "boolean", True, "a queue that nobody configured is created when something is sent to it"
    ),
    "task_default_delivery_mode": CelerySetting("delivery mode", 2, "2 persistent (default), 1 transient"),
    "task_default_exchange": CelerySetting("text", None, "default: the name of the default queue"),
    "task_default_exchange_type": CelerySetting("exchange type", "direct", "the type of the default exchange"),
    "task_default_priority": CelerySetting("number", None, "the priority of a task that gives none"),
    "task_default_queue": CelerySetting("text", "celery", "where tasks without a route go"),
    "task_default_queue_type": CelerySetting("text", "classic", "classic (default) or quorum, where no task_queues are given"),
    "task_default_rate_limit": CelerySetting("rate", None, "10/m and the like, of each worker"),
    "task_default_routing_key": CelerySetting("text", None, "default: the name of the default queue"),
    "task_ignore_result": CelerySetting("boolean", False, "no results are sent"),
    "task_protocol": CelerySetting("protocol", 2, "of messages; 1 is not simulated"),
    "task_queue_max_priority": CelerySetting("number", None, "x-max-priority of every queue"),
    "task_queues": CelerySetting(
        "queues", None, "name: {exchange, exchange_type, routing_key, queue_arguments …}; default: the default queue"
    ),
    "task_reject_on_worker_lost": CelerySetting("boolean", None, "with acks_late: a task whose process died is put back"),
    "task_retry_on_worker_lost": CelerySetting("boolean", False, "with acks_late: a task whose process died is retried"),
    "task_routes": CelerySetting("routes", None, "name or glob: queue, or {queue, exchange, routing_key, priority}"),
    "task_send_sent_event": CelerySetting("boolean", False, "the caller publishes an event task-sent"),
    "task_soft_time_limit": CelerySetting("seconds", None, "an exception in the task after so long"),
    "task_time_limit": CelerySetting("seconds", None, "the process is killed after so long"),
    "worker_cancel_long_running_tasks_on_connection_loss": CelerySetting(
        "boolean", False, "running acks_late tasks are killed when the connection is lost", "cancels_on_loss"
    ),
    "worker_concurrency": CelerySetting("number", 1, "processes of a worker's pool; 1 here, in Celery one for each processor"),
    "worker_detect_quorum_queues": CelerySetting(
        "boolean", True, "prefetch counts for each consumer as soon as a queue is a quorum queue"
    ),
    "worker_direct": CelerySetting("boolean", False, "each worker has a queue of its own besides"),
    "worker_disable_rate_limits": CelerySetting("boolean", False, "rate limits have no effect"),
    "worker_enable_prefetch_count_reduction": CelerySetting(
        "boolean", True, "after a lost connection the prefetch begins smaller", "reduces_prefetch"
    ),
    "worker_enable_remote_control": CelerySetting("boolean", True, "each worker listens to commands"),
    "worker_eta_task_limit": CelerySetting("number", None, "the prefetch grows for waiting tasks up to this", "eta_limit"),
    "worker_prefetch_multiplier": CelerySetting("number", 4, "prefetch is this times the concurrency; 0: no limit"),
    "worker_send_task_events": CelerySetting("boolean", False, "workers publish events of their tasks (-E)"),
}

# Celery knows these too. They change nothing about where a message goes.
WITHOUT_MEANING = frozenset({
    "accept_content", "arangodb_backend_settings", "azureblockblob_base_path", "azureblockblob_connection_timeout",
    "azureblockblob_container_name", "azureblockblob_read_timeout", "azureblockblob_retry_increment_base",
    "azureblockblob_retry_initial_backoff_sec", "azureblockblob_retry_max_attempts", "beat_cron_starting_deadline",
    "beat_enable_remote_control", "beat_max_loop_interval", "beat_remote_control_max_tick_age", "beat_schedule",
    "beat_schedule_filename", "beat_scheduler", "beat_sync_every", "broker_channel_error_retry",
    "broker_connection_max_retries", "broker_connection_retry", "broker_connection_retry_on_startup",
    "broker_connection_timeout", "broker_failover_strategy", "broker_heartbeat", "broker_heartbeat_checkrate",
    "broker_host", "broker_login_method", "broker_password", "broker_pool_acquire_timeout", "broker_pool_limit",
    "broker_port", "broker_read_url", "broker_transport", "broker_url", "broker_use_ssl", "broker_user",
    "broker_vhost", "broker_write_url", "cache_backend", "cache_backend_options", "cassandra_auth_kwargs",
    "cassandra_auth_provider", "cassandra_bundle_path", "cassandra_entry_ttl", "cassandra_keyspace",
    "cassandra_options", "cassandra_port", "cassandra_read_consistency", "cassandra_servers", "cassandra_table",
    "cassandra_write_consistency", "cosmosdbsql_collection_name", "cosmosdbsql_consistency_level",
    "cosmosdbsql_database_name", "cosmosdbsql_max_retry_attempts", "cosmosdbsql_max_retry_wait_time",
    "couchbase_backend_settings", "database_create_tables_at_setup", "database_engine_callback",
    "database_engine_options", "database_short_lived_sessions", "database_table_names", "database_table_schemas",
    "database_url", "elasticsearch_max_retries", "elasticsearch_retry_on_timeout", "elasticsearch_save_meta_as_text",
    "elasticsearch_timeout", "enable_utc", "event_serializer", "gcs_base_path", "gcs_bucket", "gcs_project",
    "gcs_ttl", "imports", "include", "mongodb_backend_settings", "redis_backend_use_ssl", "redis_db", "redis_host",
    "redis_max_connections", "redis_password", "redis_port", "redis_retry_on_timeout", "redis_socket_connect_timeout",
    "redis_socket_keepalive", "redis_socket_timeout", "redis_username", "result_accept_content",
    "result_backend_always_retry", "result_backend_base_sleep_between_retries_ms", "result_backend_max_retries",
    "result_backend_max_sleep_between_retries_ms", "result_backend_transport_options", "result_cache_max",
    "result_chord_expires", "result_chord_join_timeout", "result_chord_retry_interval", "result_compression",
    "result_exchange", "result_exchange_type", "result_extended", "result_failure_expires", "result_persistent",
    "result_serializer", "s3_access_key_id", "s3_base_path", "s3_bucket", "s3_endpoint_url", "s3_region",
    "s3_secret_access_key", "security_cert_store", "security_certificate", "security_digest", "security_key",
    "security_key_password", "task_allow_error_cb_on_chord_header", "task_annotations",
    "task_compression", "task_eager_propagates", "task_inherit_parent_priority",
    "task_publish_retry", "task_publish_retry_policy", "task_remote_tracebacks", "task_repr_maxlevels",
    "task_serializer", "task_store_eager_result", "task_store_errors_even_if_ignored", "task_track_started",
    "timezone", "worker_agent", "worker_autoscaler", "worker_consumer", "worker_deduplicate_successful_tasks",
    "worker_disable_prefetch", "worker_enable_soft_shutdown_on_idle", "worker_hijack_root_logger", "worker_log_color",
    "worker_log_datefmt", "worker_log_format", "worker_lost_wait", "worker_max_memory_per_child",
    "worker_max_tasks_per_child", "worker_pool", "worker_pool_putlocks", "worker_pool_restarts",
    "worker_pool_start_method", "worker_proc_alive_timeout", "worker_redirect_stdouts",
    "worker_redirect_stdouts_level", "worker_soft_shutdown_timeout", "worker_state_db", "worker_task_log_datefmt",
    "worker_task_log_format", "worker_timer", "worker_timer_precision",
})  # fmt: skip


class CelerySettings(dict[str, Any]):
    """The settings of one app as it gives them; what it does not give is Celery's default. Times are in ms."""

    def __missing__(self, name: str) -> Any:
        setting = SETTINGS[name]
        return setting.default * 1000 if setting.kind == "seconds" and setting.default is not None else setting.default

    @property
    def default_exchange(self) -> str:
        return str(self["task_default_exchange"] or self["task_default_queue"])

    @property
    def default_routing_key(self) -> str:
        return str(self["task_default_routing_key"] or self["task_default_queue"])

    @property
    def sends_results(self) -> bool:
        """Results are messages: rpc://."""
        return str(self["result_backend"] or "").startswith("rpc")

    @property
    def confirms(self) -> bool:
        return bool(self["broker_transport_options"].get("confirm_publish", False))

    @property
    def acks_on_failure(self) -> bool:
        given = self["task_acks_on_failure"]
        return bool(self["task_acks_on_failure_or_timeout"] if given is None else given)

    @property
    def acks_on_timeout(self) -> bool:
        given = self["task_acks_on_timeout"]
        return bool(self["task_acks_on_failure_or_timeout"] if given is None else given)
