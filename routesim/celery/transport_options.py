"""The options in `broker_transport_options`, in the three classes of settings: kombu's of Redis, py-amqp's of RabbitMQ."""

from typing import Any

from routesim.celery.setting_table import MATTERS, REDIS, CelerySetting, harmless, matters, simulated

TRANSPORT_OPTIONS: dict[str, CelerySetting] = {
    "confirm_publish": simulated("boolean", False, "every publish waits for the broker's answer"),
    "visibility_timeout": simulated("seconds", 3600, "unacknowledged for so long, a message comes back"),
    "unacked_restore_interval": simulated("seconds", 10, "with the throttle: how often a worker looks for those"),
    "unacked_restore_throttle": simulated("count", 10, "with the interval: how often a worker looks for those"),
    "unacked_restore_limit": simulated("count", None, "how many of them come back each time"),
    "priority_steps": simulated("steps", [0, 3, 6, 9], "a list in Redis for each"),
    "queue_order_strategy": simulated("order", "round_robin", "which of its queues a worker asks first"),
    "ack_emulation": matters(True, "what a worker has taken is gone with it, and never comes back", where=REDIS),
    "deadletter_queue": matters(None, "what reaches no queue goes to this one", where=REDIS),
    "fanout_patterns": matters(True, "every subscriber of a fanout exchange gets all, whatever the key", where=REDIS),
    # Names of keys, the form of what is written, connections.
    **dict.fromkeys(
        (
            "sep", "unacked_key", "unacked_index_key", "unacked_mutex_key", "unacked_mutex_expire", "global_keyprefix",
            "body_encoding", "socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_keepalive_options",
            "max_connections", "health_check_interval", "reauth_check_interval", "retry_on_timeout", "client_name",
            "polling_interval", "master_name", "sentinel_kwargs", "min_other_sentinels", "fanout_prefix", "role", "db",
            "username", "password",
            "max_retries", "interval_start", "interval_step", "interval_max", "connect_retries_timeout", "errback", "callback",
            "host", "userid", "login_method", "login_response", "authentication", "virtual_host", "locale", "ssl", "port",
            "client_properties", "connect_timeout", "channel_max", "frame_max", "heartbeat", "on_open", "on_blocked",
            "on_unblocked", "on_tune_ok", "read_timeout", "write_timeout", "socket_settings",
        ),
        harmless(None),
    ),
}  # fmt: skip
AS_THEY_ARE = {
    "visibility_timeout": "visibility_timeout", "unacked_restore_limit": "restore_limit", "priority_steps": "priority_steps",
    "queue_order_strategy": "queue_order",
}  # fmt: skip


def what_matters(options: dict[str, Any], *, redis: bool) -> dict[str, CelerySetting]:
    """Of the options that are given, those that would change the outcome if they were simulated."""
    return {
        name: option for name, value in options.items()
        if (option := TRANSPORT_OPTIONS.get(name)) is not None and option.effect == MATTERS and value != option.default and redis
    }  # fmt: skip


# As settings of a scenario's Redis ------------------------------------------------------------------------------------


def on_redis(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a scenario's `broker` that the options are; times in ms."""
    found = {field: options[name] for name, field in AS_THEY_ARE.items() if name in options}
    if "unacked_restore_interval" in options or "unacked_restore_throttle" in options:
        # 0 is taken for the default and for 1 (kombu/transport/redis.py:register_with_event_loop, restore_visible).
        interval = options.get("unacked_restore_interval") or TRANSPORT_OPTIONS["unacked_restore_interval"].default * 1000
        throttle = options.get("unacked_restore_throttle", TRANSPORT_OPTIONS["unacked_restore_throttle"].default) or 1
        found["restore_every"] = interval * throttle
    return found
