"""What may be expected of a run, as tables of fields: `expect`, `routes`, `never`."""

from routesim.events import COPY_STATES
from routesim.scenario.format.counts import Count, CountOrIds, Lasts, Over, Yes
from routesim.scenario.format.declared import CARRIED, EXCHANGE_NAME, ID, KEY, NAME, QUEUE_TYPE, REASONS, TABLE
from routesim.scenario.format.kinds import Boolean, Choice
from routesim.scenario.format.shapes import Field, ListOf, MapOf, Shape
from routesim.scenario.format.workers import EXPECT_CHORD, EXPECT_TASK, EXPECT_WORKER

STATES = tuple(dict.fromkeys(COPY_STATES.values()))
ENDED = tuple(f"{state}: {reason}" for state in ("dropped", "dead-lettered") for reason in REASONS)
STATE = Choice(*STATES, *ENDED, *(f"kept back: {reason}" for reason in REASONS if reason != "maxlen"))
ENDLESS = ("livelock", "budget")  # the endings of a run that would have gone on for ever
ENDINGS = ("idle", "steps", "time", *ENDLESS)
EXPECT_READY = Shape(
    "the expectation of a ready message",
    {
        "redelivered": Field(Boolean(), "the flag that its next delivery will have"),
        "headers": Field(TABLE, "these headers with these values"),
        **CARRIED,
    },
)
AS_READY = "`ready: {}`: what is asked of `messages:` is what each of them carries"
EXPECT_QUEUE = Shape(
    "the expectation of a queue",
    {
        "ready": Field(CountOrIds(), "a count, or message ids in order"),
        "unacked": Field(CountOrIds(), "a count, or message ids in order"),
        "exists": Field(Boolean(), "false: it has been deleted"),
        "messages": Field(MapOf(EXPECT_READY, ID, AS_READY), "what ready messages carry, by id"),
        "type": Field(
            Choice(*QUEUE_TYPE.options, "list"), "what it is, however it was declared: classic, quorum or stream; list on Redis"
        ),
        "durable": Field(Boolean(), "as settled when it was declared"),
        "exclusive": Field(Boolean(), "whether it belongs to one connection"),
        "auto_delete": Field(Boolean(), "whether it goes with its last consumer"),
        "arguments": Field(TABLE, "values in force, be it by argument, policy or default; null: none"),
    },
)
EXPECT_CONSUMER = Shape(
    "the expectation of a consumer",
    {
        "delivered": Field(CountOrIds(), "a count, or message ids in order"),
        "redelivered": Field(Count("a count"), "deliveries with the redelivered flag"),
        "acked": Field(Count("a count"), "answers"),
        "rejected": Field(Count("a count"), "answers"),
        "requeued": Field(Count("a count"), "answers"),
    },
)
EXPECT = Shape(
    "expect",
    {
        "queues": Field(MapOf(EXPECT_QUEUE, NAME), "what is left in each queue"),
        "consumers": Field(MapOf(EXPECT_CONSUMER, NAME), "what each consumer did"),
        "messages": Field(MapOf(MapOf(STATE, NAME), ID), "the state of a message's newest copy in each queue"),
        "tasks": Field(MapOf(EXPECT_TASK, ID), "what became of each task, by its id"),
        "chords": Field(MapOf(EXPECT_CHORD, ID), "what became of each chord, by the id of the group that its header is"),
        "workers": Field(MapOf(EXPECT_WORKER, NAME), "what each worker process did, and what it is at"),
        "returned": Field(CountOrIds(), "messages that came back as unroutable"),
        "nacked": Field(CountOrIds(), "messages that a queue refused"),
        "unroutable": Field(CountOrIds(), "messages that reached no queue and did not come back"),
        "lost": Field(
            Count("a count"),
            "what ended without anybody knowing: unroutable publishes, copies that were dropped, deleted or lost, and what was "
            "acknowledged and ended with its consumer or worker",
        ),
        "lost_tasks": Field(
            CountOrIds(), "tasks that nobody has done and nothing will run again: acknowledged, lost with a worker"
        ),
        "ended": Field(Choice(*ENDINGS), "how the run ended"),
    },
)

ROUTE = Shape(
    "a route",
    {
        "exchange": Field(EXCHANGE_NAME, 'where it is published; default "", the default exchange'),
        "routing_key": Field(KEY, 'default ""'),
        "headers": Field(TABLE, "CC and BCC as in RabbitMQ"),
        "queues": Field(ListOf(NAME, single=True), "what it must reach, no more and no less; [] for none", required=True),
    },
)
CLAIMS = ("reaches", "lost", "delivered", "waits")
NEVER = Shape(
    "a rule of never",
    {
        "reaches": Field(ListOf(NAME, single=True), "no copy ever gets into one of these queues"),
        "lost": Field(Yes(), "true: no copy ends nowhere without anybody knowing"),
        "delivered": Field(Over("deliveries of a message from one queue"), "such as '> 3'"),
        "waits": Field(Lasts("time from entering a queue to the first delivery"), "such as '> 10s'"),
        "messages": Field(ListOf(ID, single=True), "only these messages; default: all"),
        "queues": Field(ListOf(NAME, single=True), "with lost, delivered and waits: only in these queues; default: all"),
    },
    schema={
        "oneOf": [{"required": [name]} for name in CLAIMS],
        "not": {"required": ["reaches", "queues"]},
        "allOf": [{"properties": {name: {"not": {"enum": [None, []]}}}} for name in ("reaches", "queues", "messages")],
    },
)
