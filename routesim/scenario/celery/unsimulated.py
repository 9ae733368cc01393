"""What an app's settings say that the simulation does not do: told wherever a scenario is read."""

from routesim.celery.settings import SETTINGS, what_matters
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.nodes import key_of
from routesim.scenario.format.kinds import Reader

ADDRESSES = ("broker_url", "broker_transport")
CONTENT_TYPES = {
    "json": "application/json", "pickle": "application/x-python-serialize", "yaml": "application/x-yaml",
    "msgpack": "application/x-msgpack", "auth": "application/data",
}  # fmt: skip
REDIS_SCHEMES = ("redis", "rediss", "sentinel")


def tell_what_is_not_simulated(reader: Reader, app: App, *, redis: bool) -> None:
    for name in app.settings:
        setting = SETTINGS[name]
        if setting.refused and app.settings[name] != setting.default:
            reader.error("not-simulated", f"{name} is not simulated: {setting.meaning}", app.node[name], "take it out")
    for name, setting in what_matters(app.settings, redis=redis).items():
        said = f"{name} is not simulated: {setting.meaning}"
        reader.warning("not-simulated", said, key_of(app.node, name), "take it out where that makes no difference")
    _tell_of_another_broker(reader, app, redis=redis)
    _tell_of_content(reader, app)


def _tell_of_another_broker(reader: Reader, app: App, *, redis: bool) -> None:
    """Which broker it is stands at the top of the scenario; an address says it too, and is not looked at."""
    for name in ADDRESSES:
        given = str(app.settings.get(name) or "")
        if given and redis != given.partition(":")[0].startswith(REDIS_SCHEMES):
            here = "Redis" if redis else "RabbitMQ"
            cure = f"write `broker: {{kind: {'rabbitmq' if redis else 'redis'}}}` at the top of the scenario, or take it out"
            reader.warning(
                "no-effect", f"{name} has no effect: the broker of this scenario is {here}", key_of(app.node, name), cure
            )


def _tell_of_content(reader: Reader, app: App) -> None:
    """A worker acknowledges and drops what it may not decode (celery/worker/consumer/consumer.py:on_decode_error)."""
    serializer, accepted = app.settings["task_serializer"], app.settings["accept_content"]
    if accepted is None or CONTENT_TYPES.get(serializer, serializer) in accepted or serializer in accepted:
        return
    name = "task_serializer" if "task_serializer" in app.settings else "accept_content"
    said = f"workers drop every task: {serializer} is not among accept_content, and that is not simulated"
    reader.warning("not-simulated", said, key_of(app.node, name), "add it to accept_content")
