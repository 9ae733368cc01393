"""The `celery:` section and the steps `call`, `control` and `flower` as tables, like `format` for the rest.

A bare number is in seconds where Celery has the word (`countdown`, `expires`, `time_limit` …); where routesim has it (`takes`,
`every`, `after` …) a duration needs its unit, as everywhere in a scenario.
"""

from routesim.celery.pools import POOLS
from routesim.durations import parse_duration
from routesim.scenario.celery.setting_format import APP, TASK_OPTIONS
from routesim.scenario.format.bodies import ENDS, OF_BODIES
from routesim.scenario.format.canvases import ARGUMENTS, CHORD, LINKED, MEMBERS, OF_ONE_CALL, ROUTING, TASK_ID, Data
from routesim.scenario.format.counts import Seconds
from routesim.scenario.format.declared import NAME, TEXT
from routesim.scenario.format.kinds import FLOAT, INTEGER, Boolean, Choice, Duration, Integer, Kind, Reader, is_null
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Shape
from routesim.scenario.format.synonyms import OWN_STEPS
from routesim.scenario.format.workers import AUTOSCALE
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

MOST_ALIKE = 200_000  # calls of which no more than what differs is kept


class Later(Kind):
    """A list that is read where it ends up, in the ordinary sections; `what` its items are called there."""

    expects = "a list"

    def __init__(self, what: str) -> None:
        self.what = what

    def read(self, reader: Reader, node: Node) -> Node:
        if not isinstance(node, Sequence) and not is_null(node):
            raise self.wrong(reader, node)
        return node


# Workers -------------------------------------------------------------------------------------------------------------

_OF_APP = {"app": Field(NAME, "its app; may be left out where there is one")}
WORKER = Shape(
    "a Celery worker",
    {
        **_OF_APP,
        "queues": Field(ListOf(NAME, single=True), "what it consumes (-Q), in this order; default: all task_queues"),
        "concurrency": Field(Integer(1, 100_000), "processes of its pool (-c); default: worker_concurrency"),
        "exclude": Field(ListOf(NAME, single=True), "but not these (-X)"),
        "autoscale": Field(AUTOSCALE, "its pool grows and shrinks (--autoscale), instead of concurrency"),
        "prefetch_multiplier": Field(Integer(0, 65535), "default: worker_prefetch_multiplier"),
        "start": Field(Boolean(), "false: waits for a worker step"),
        "fails": Field(Integer(300, 600), "the broker is to refuse it with this code, as often as it tries"),
        "restart": Field(Duration(), "a supervisor starts it again so long after it died"),
        "pool": Field(Choice(*POOLS), "who runs its tasks (-P); default: worker_pool"),
        "remap_sigterm": Field(Boolean(), "started with REMAP_SIGTERM=SIGQUIT: its SIGTERM is a cold shutdown; default false"),
        "gossip": Field(Boolean(), "listens to the events of the other workers; default true"),
        "mingle": Field(
            Boolean(), "asks the other workers for what is revoked whenever it connects, which takes a second; default true"
        ),
        "heartbeat": Field(Boolean(), "an event every two seconds; default false (in Celery true)"),
        "events": Field(Boolean(), "publishes events of its tasks (-E); default: worker_send_task_events"),
    },
    optional=True,
)

# Tasks ---------------------------------------------------------------------------------------------------------------

TASK = Shape(
    "a Celery task",
    {
        "app": Field(ListOf(NAME, single=True), "its app, or all that have it; the first one's settings count"),
        "takes": Field(Duration(), "how long its body runs; default 0"),
        "ends": Field(Choice(*ENDS), "how its body ends; default success"),
        **TASK_OPTIONS,
        "runs": Field(Later("run"), "rules; the first that fits replaces what the task does"),
        **OF_BODIES,
    },
    optional=True,
)

# Who publishes -------------------------------------------------------------------------------------------------------

PRODUCER = Shape("a producer", _OF_APP, optional=True)
CRONTAB_FIELDS = Shape(
    "a crontab",
    {name: Field(TEXT, "*, 5, 1-5, */2, mon-fri, or several with commas") for name in (
        "minute", "hour", "day_of_month", "month_of_year", "day_of_week",
    )},
)  # fmt: skip
CRONTAB = Either(
    'five fields such as "0 3 * * *", or a mapping of them',
    lambda node: CRONTAB_FIELDS if isinstance(node, Mapping) else TEXT if isinstance(node, Text) else None,
)
_EVERY = Seconds()
SCHEDULE = Either(
    "a number of seconds, or a crontab",
    lambda node: (
        CRONTAB_FIELDS
        if isinstance(node, Mapping)
        else None
        if not isinstance(node, Text)
        else _EVERY
        if _is_time(node)
        else TEXT
    ),
)


def _is_time(node: Text) -> bool:
    return bool(node.plain and (INTEGER.fullmatch(node) or FLOAT.fullmatch(node))) or parse_duration(node) is not None


ENTRY = Shape(
    "an entry of a schedule",
    {
        "task": Field(NAME, "the name of the task", required=True),
        "every": Field(Duration(), "the interval"),
        "schedule": Field(SCHEDULE, "as in Celery: an interval in seconds, or a crontab"),
        "crontab": Field(CRONTAB, "minute hour day_of_month month_of_year day_of_week"),
        **ARGUMENTS,
        **ROUTING,
        "expires": Field(Seconds(), "how long a message lives"),
        "headers": Field(MapOf(Data(), TEXT), "headers of the message beside Celery's own"),
        "last_run_at": Field(TEXT, "when it was sent last, a time (UTC), as the file of beat's schedule says; default: never"),
    },
    schema={"oneOf": [{"required": ["every"]}, {"required": ["crontab"]}, {"required": ["schedule"]}]},
    hints={"options": "its options stand here beside `task`: queue, routing_key, priority, expires, headers …"},
)
BEAT = Shape(
    "a beat",
    {
        **_OF_APP,
        "schedule": Field(MapOf(ENTRY, NAME), "its entries", required=True),
        "start": Field(Boolean(), "false: waits for a beat step"),
    },
)
FLOWER = Shape("flower", _OF_APP, optional=True)
CELERY = Shape(
    "celery",
    {
        "version": Field(TEXT, "whose ways it has: 5.5, 5.6 or 5.7; default: the newest"),
        "apps": Field(MapOf(APP, NAME), "name: settings, spelled as Celery spells them", required=True),
        "workers": Field(MapOf(WORKER, NAME), "name: options"),
        "tasks": Field(MapOf(TASK, NAME), "name: what its body does, and its options"),
        "producers": Field(MapOf(PRODUCER, NAME), "who calls tasks; there is always one named client"),
        "beats": Field(MapOf(BEAT, NAME), "who calls tasks by a schedule"),
        "flower": Field(FLOWER, "a monitor that listens to all events"),
        "starts": Field(TEXT, 'the time (UTC) at virtual 0, for crontab; default "2026-01-01 00:00:00"'),
    },
    hints={
        **dict.fromkeys(("broker", "rabbitmq"), "it stands at the top of the scenario, beside `celery:`"),
        "broker_url": "say `broker: {kind: redis}` at the top of the scenario; without it the broker is RabbitMQ",
        "beat": "write `beats: {NAME: {schedule: …}}`",
        "beat_schedule": "write `beats: {NAME: {schedule: …}}`",
        "queues": "write `task_queues` in the app's settings: `apps: {NAME: {task_queues: …}}`",
    },
)

# Steps ---------------------------------------------------------------------------------------------------------------

CALL = Shape(
    "call",
    {
        "task": Field(NAME, "the name of the task"),
        "chain": Field(MEMBERS, "instead: tasks one after the other, each with the result of the one before it"),
        "group": Field(MEMBERS, "instead: tasks all at once"),
        "chord": Field(CHORD, "instead: a group, and what is called when all of it has succeeded"),
        "by": Field(NAME, "the producer; default client"),
        "id": Field(TASK_ID, "the id of a task; default: its name with a number"),
        "count": Field(Integer(1, MOST_ALIKE), "so many of them; default 1"),
        "every": Field(Duration(), "time between two of them; default: none"),
        "after": Field(Duration(), "the first one so much later, while the steps go on"),
        **ARGUMENTS,
        "eta": Field(TEXT, "not to be run earlier: a time such as 2026-01-01T00:00:30"),
        **OF_ONE_CALL,
        **LINKED,
        "get": Field(Boolean(), "the caller waits for the result (rpc://)"),
        "commit": Field(Duration(), "the row that the task reads is there only so long after the call"),
        "on_commit": Field(Boolean(), "sent at the commit (delay_on_commit)"),
    },
    hints=OWN_STEPS,
    page="steps#call",
)
# Commands to workers, each with the fields that it needs.
COMMANDS: dict[str, tuple[str, ...]] = {
    "revoke": ("id",),
    "rate_limit": ("task", "rate"),
    "ping": (),
    "shutdown": (),
    "enable_events": (),
    "disable_events": (),
    "cancel_consumer": ("queue",),
    "add_consumer": ("queue",),
    "pool_grow": (),
    "pool_shrink": (),
    "autoscale": (),
}
CONTROL = Shape(
    "control",
    {
        "do": Field(Choice(*COMMANDS), "the command", required=True),
        "to": Field(ListOf(NAME, single=True), "these workers alone; default: all"),
        "by": Field(NAME, "who sends it; default client"),
        "id": Field(NAME, "with revoke: the id of the task"),
        "terminate": Field(Boolean(), "with revoke: kill it if it runs"),
        "task": Field(NAME, "with rate_limit: the name of the task"),
        "rate": Field(TEXT, "with rate_limit: 10/m and the like"),
        "queue": Field(NAME, "with add_consumer and cancel_consumer: the queue"),
        "n": Field(Integer(1, 100_000), "with pool_grow and pool_shrink: by so many; default 1"),
        "max": Field(Integer(1, 100_000), "with autoscale: the largest pool"),
        "min": Field(Integer(0, 100_000), "with autoscale: the smallest pool"),
        "timeout": Field(Seconds(), "with ping: how long it waits for answers; default 1"),
    },
    page="steps#control",
)
BEAT_STEP = Shape(
    "a beat step",
    {
        "name": Field(NAME, "which beat", required=True),
        "do": Field(Choice("stop", "start"), "it stops, or starts, and makes up for what was due meanwhile", required=True),
    },
    page="steps#beat",
)
STEP_KINDS: dict[str, Kind] = {"call": CALL, "control": CONTROL, "flower": Choice("stop", "start"), "beat": BEAT_STEP}
