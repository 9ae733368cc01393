"""What no field of a step shows by itself: which names it refers to, what it needs, what excludes what.

A check notes what is wrong and, where nothing can be made of the step, raises `Unreadable`. What a JSON Schema can say of it
as well stands beside it, so that an editor and the loader hold to one rule.
"""

from collections.abc import Callable
from typing import Any

from routesim.celery.pools import POOLS
from routesim.diagnostics import did_you_mean
from routesim.model import REPLY_TO
from routesim.named_tuples import NamedTuple
from routesim.scenario.format.kinds import Unreadable
from routesim.scenario.format.shapes import Schema
from routesim.scenario.sections.names import Names
from routesim.scenario.yaml.nodes import Text


class WrittenStep(NamedTuple):
    """A step whose fields have been read: `fields` is what its kind reads, `node` the value of the verb, `at` the verb itself.
    `fails`: the reply code that it must fail with. `text`: as what it is shown."""

    verb: str
    fields: Any
    node: Any
    at: Text
    fails: int | None
    text: str = ""

    @property
    def may_name_anything(self) -> bool:
        """A step that must fail may name what does not exist."""
        return self.fails is not None


class Check(NamedTuple):
    look: Callable[[Names, WrittenStep], None]
    schema: Schema = {}


def schema_of(checks: tuple[Check, ...]) -> Schema:
    return {key: value for check in checks for key, value in check.schema.items()}


# Fields that belong together -----------------------------------------------------------------------------------------


def one_of(*fields: str, code: str, problem: str) -> Check:
    """Exactly one of these; `{verb}` in the problem is the step's."""

    def look(names: Names, step: WrittenStep) -> None:
        given = [field for field in fields if field in step.node]
        if given and step.fields.keys().isdisjoint(given):
            raise Unreadable
        if len(given) != 1:
            raise names.reader.error(code, problem.format(verb=step.verb), step.at)

    return Check(look, {"oneOf": [{"required": [field]} for field in fields]})


def _one_delivery(names: Names, step: WrittenStep) -> None:
    message = step.fields.get("message")
    if message is not None:
        if "delivery_tag" in step.fields:
            raise names.reader.error("wrong-value", "give message or delivery_tag, not both", message)
        names.message(str(message), message)
    elif "delivery_tag" not in step.node and not step.fields.get("multiple", False):
        problem = f"{step.verb} needs message or delivery_tag"
        raise names.reader.error("missing-key", problem, step.at, "or `multiple: true` for all of them")


ONE_DELIVERY = Check(_one_delivery, {
    "not": {"required": ["message", "delivery_tag"]},
    "anyOf": [
        {"required": ["message"]},
        {"required": ["delivery_tag"]},
        {"properties": {"multiple": {"const": True}}, "required": ["multiple"]},
    ],
})  # fmt: skip


def _how_it_ends(names: Names, step: WrittenStep) -> None:
    if "ended" in step.fields:
        problem, cure = "how a run ends is known only at its end", "move it to `expect:` at the top"
        names.reader.error("wrong-value", problem, step.fields["ended"], cure)


ENDED_AT_THE_END = Check(_how_it_ends, {"not": {"required": ["ended"]}})

# Names ---------------------------------------------------------------------------------------------------------------


def _queue(names: Names, step: WrittenStep) -> None:
    queue = step.fields.get("queue", "") if isinstance(step.fields, dict) else step.fields
    if queue and not step.may_name_anything:
        names.queue(str(queue), queue, in_step=True)


def _where_published(names: Names, step: WrittenStep) -> None:
    """An exchange must exist; a key of the default exchange is likely to be a queue's name."""
    fields = step.fields
    exchange, key = fields.get("exchange", ""), fields.get("routing_key")
    if step.may_name_anything:
        return
    if exchange:
        names.exchange(str(exchange), exchange, in_step=True)
    elif key is not None and not key.startswith(REPLY_TO):
        names.near_miss("queue", str(key), key, names.queues)


def _consumer(names: Names, step: WrittenStep) -> None:
    _known_consumer(names, step.fields)


def _known_consumer(names: Names, name: Text) -> None:
    if not names.consumer(str(name), name):
        raise Unreadable


def _named(step: WrittenStep, key: str) -> Text:
    """The name that stands there by itself, or under the key; a missing one has been reported."""
    if not isinstance(step.fields, dict):
        name: Text = step.fields
    elif key in step.fields:
        name = step.fields[key]
    else:
        raise Unreadable
    return name


def _channel_to_close(names: Names, step: WrittenStep) -> None:
    named = _named(step, "channel")
    _known_channel(names, step, named)


def _body_or_size(names: Names, step: WrittenStep) -> None:
    if "size" in step.fields and "body" in step.fields:
        names.reader.error("wrong-value", "give body or size, not both", step.fields["body"])


def _client(names: Names, step: WrittenStep) -> None:
    """A consumer, a channel or a connection."""
    named = _named(step, "name")
    name = str(named)
    if name not in names.channels and name not in names.channels_in_steps and not names.is_connection(name):
        _known_consumer(names, named)


def _or_worker(look: Callable[[Names, WrittenStep], None]) -> Callable[[Names, WrittenStep], None]:
    """The same check of what is no worker."""

    def check(names: Names, step: WrittenStep) -> None:
        if str(step.fields) not in names.workers:
            look(names, step)

    return check


def _who_got_it(names: Names, step: WrittenStep) -> None:
    """The `consumer` or the `channel` of a delivery."""
    if "consumer" in step.node:
        name = step.fields["consumer"]
        if not names.consumer(str(name), name):
            raise Unreadable
        return
    _known_channel(names, step, step.fields["channel"])


def _known_channel(names: Names, step: WrittenStep, name: Text) -> None:
    known = {*names.channels_in_steps, *names.named_channels, *names.consumer_channels.values()}
    if str(name) not in known and not step.may_name_anything:
        names.reader.error("unknown-channel", f"nothing uses a channel '{name}'", name, did_you_mean(name, known))


def _worker(names: Names, step: WrittenStep) -> None:
    if not step.fields.keys() >= {"name", "do"} or not names.worker(str(step.fields["name"]), step.fields["name"]):
        raise Unreadable
    name, do = step.fields["name"], step.fields["do"]
    pool, remapped = names.workers[str(name)]
    if do == "kill_child" and not POOLS[pool].process:
        problem = f"worker '{name}' has no children: pool {pool} runs tasks in the worker's own process"
        names.reader.error("wrong-value", problem, do, "write do: kill, which is what befalls the whole of it")
    if (do == "cold" or (do == "term" and remapped)) and not POOLS[pool].cold:
        problem = f"a cold shutdown of pool {pool} is not simulated: Celery 5.7 raises in its own signal handler, and goes on"
        names.reader.error("not-simulated", problem, do, "write do: warm or do: kill")
    if do == "warm" and remapped:
        problem = f"SIGTERM is remapped for worker '{name}': this warm shutdown is one by command, or by Ctrl-C"
        names.reader.warning("remapped", problem, do, "write do: term for the signal")


def _deleted(names: Names, step: WrittenStep) -> None:
    known = {"queue": names.queues, "exchange": names.exchanges, "policy": names.policies}
    for what in known.keys() & step.fields.keys() if not step.may_name_anything else ():
        names.near_miss(what, str(step.fields[what]), step.fields[what], known[what])


QUEUE = Check(_queue)
WHERE_PUBLISHED = Check(_where_published)
CONSUMER = Check(_consumer)
CONSUMER_OR_WORKER = Check(_or_worker(_consumer))
CLIENT = Check(_client)
CHANNEL_TO_CLOSE = Check(_channel_to_close)
BODY_OR_SIZE = Check(_body_or_size, {"not": {"type": "object", "required": ["body", "size"]}})
WHO_GOT_IT = Check(_who_got_it)
WORKER = Check(_worker)
DELETED = Check(_deleted)
