"""Tasks and worker processes as tables of fields, and what may be expected of them."""

from typing import Any

from routesim.celery.fates import FATES
from routesim.celery.pools import POOLS
from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.scenario.format.amqp_values import Table
from routesim.scenario.format.bodies import OF_BODIES, RUN_COURSE
from routesim.scenario.format.canvases import DELIVERY_MODE, ROUTING
from routesim.scenario.format.counts import Count, Instant, Limit, Rate, Seconds
from routesim.scenario.format.declared import CARRIED, EXCHANGE_NAME, ID, NAME, TOPOLOGY_FIELDS
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Integer, Kind, Number, Reader, TextKind
from routesim.scenario.format.shapes import Field, ListOf, MapOf, Shape
from routesim.scenario.yaml.nodes import Node


class LazyApp(Kind):
    """Settings of Celery, whose format is imported when a worker has them."""

    def kind(self) -> Kind:
        from routesim.scenario.celery.setting_format import APP

        return APP

    def read(self, reader: Reader, node: Node) -> Any:
        return self.kind().read(reader, node)


OPTIONS = Shape("the options of a task", {**ROUTING, **DELIVERY_MODE, "expires": Field(Seconds(), "how long its messages live")})
RUN = Shape(
    "a run",
    {
        "retries": Field(Count("how often it was retried"), "condition: a number, or such as '>= 3'"),
        "redelivered": Field(Boolean(), "condition: the flag of the delivery"),
        "run": Field(Count("n-th run of this task id"), "condition: a number, or such as '>= 3'"),
        "id": Field(ID, "condition: the id of the task"),
        "worker": Field(NAME, "condition: which worker runs it"),
        "before": Field(Duration(), "condition: it begins before this virtual time"),
        "chance": Field(Number(0, 1), "condition: drawn from the seed"),
        **{name: field._replace(doc=f"condition: {field.doc}") for name, field in CARRIED.items()},
        **RUN_COURSE,
    },
)
TASK = Shape(
    "a task",
    {
        **RUN_COURSE,
        "max_retries": Field(Limit(), "retries before it ends in an exception; default 3"),
        "backoff": Field(Seconds(), "the first retry's delay in place of countdown; each later one has twice the one before"),
        "backoff_max": Field(Seconds(), "the longest of these delays; default 10m"),
        "jitter": Field(Boolean(), "with backoff: any whole number of seconds up to the delay; default true"),
        "time_limit": Field(Seconds(), "hard: the child is killed"),
        "soft_time_limit": Field(Seconds(), "an exception in the body"),
        "acks": Field(Choice("early", "late"), "when the message is acknowledged: at the start (default) or at the end"),
        "on_failure": Field(Choice("ack", "reject"), "late only: after an exception; default ack"),
        "on_timeout": Field(Choice("ack", "requeue"), "late only: after the hard time limit; default ack"),
        "on_worker_lost": Field(Choice("ack", "requeue", "retry"), "after the child's death; requeue late only; default ack"),
        "rate_limit": Field(Rate(), "in each worker: 10/s, 100/m, 5/h or a bare number a second"),
        "ignore_result": Field(Boolean(), "no result is sent; default false"),
        "retry_headers": Field(
            Choice("copy", "clean"), "copy (default): x-death and the like travel with a retry, as with Celery"
        ),
        "returns": OF_BODIES["returns"],
        "errback": OF_BODIES["errback"],
        "options": Field(OPTIONS, "what it brings to every call of it by a worker"),
        "runs": Field(ListOf(RUN), "rules; the first that fits says how this run goes"),
    },
    optional=True,
)
AUTOSCALE = Shape(
    "a range",
    {
        "max": Field(Integer(1, 100_000), "so many at most", required=True),
        "min": Field(Integer(0, 100_000), "so many at least; default 0"),
    },
)
WORKER_DECLARES = Shape("declares", {key: TOPOLOGY_FIELDS[key] for key in ("exchanges", "queues", "bindings")})
MINGLE = Shape(
    "how a worker mingles",
    {
        "exchange": Field(EXCHANGE_NAME, "the exchange of commands", required=True),
        "queue": Field(NAME, "the queue of the answers, consumed for a second", required=True),
        "declares": Field(WORKER_DECLARES, "what it declares for that, the queue for its connection"),
    },
)
WORKER = Shape(
    "a worker",
    {
        "queues": Field(ListOf(NAME, single=True), "what it consumes, in this order", required=True),
        "no_ack": Field(ListOf(NAME, single=True), "of these it takes all that there is, without acknowledging"),
        "consumer_arguments": Field(MapOf(Table(), NAME), "queue: the arguments of its consumer, x-priority and the like"),
        "concurrency": Field(Integer(1, 100_000), "children that run tasks; default 1"),
        "prefetch": Field(Integer(0), "unacked messages at once; 0 (default): no limit"),
        "prefetch_of": Field(Choice("channel", "consumer"), "one limit for all queues (default), or one for each"),
        "eta_limit": Field(Integer(1), "the prefetch limit grows no further, however many tasks are held for their ETA"),
        "reduces_prefetch": Field(Boolean(), "after a reconnection it takes less while old tasks run; default true"),
        "cancels_on_loss": Field(Boolean(), "a lost connection ends running tasks of late acknowledgement; default false"),
        "start": Field(Boolean(), "false: waits for a worker step"),
        "fails": Field(Integer(300, 600), "the broker is to refuse it with this code, as often as it tries"),
        "restart": Field(Duration(), "it is started again so long after its death; default: never"),
        "control": Field(NAME, "the queue of its commands, consumed without acknowledgement"),
        "replies": Field(EXCHANGE_NAME, "the exchange for answers to commands"),
        "events": Field(EXCHANGE_NAME, "the exchange for its events"),
        "sends_events": Field(Boolean(), "task events from the start; default true, where it has an exchange for them"),
        "gossip": Field(NAME, "the queue of other workers' events, consumed without acknowledgement and only listened to"),
        "heartbeat": Field(Duration(), "a worker.heartbeat so often"),
        "results": Field(Boolean(), "results go to a task's reply_to; default false"),
        "delays": Field(Boolean(), "retries wait in the queues of native delayed delivery; default false"),
        "tasks": Field(ListOf(NAME), "the tasks that it knows, it drops others; default: all"),
        "mingle": Field(MINGLE, "how it asks the other workers when it starts; default: it does not"),
        "pool": Field(Choice(*POOLS), "who runs its tasks; default prefork"),
        "soft_shutdown": Field(Duration(), "on a cold shutdown what runs may go on for so long; default 0"),
        "soft_shutdown_on_idle": Field(Boolean(), "even when nothing runs; default false"),
        "fetches_when_free": Field(Boolean(), "on Redis: takes a message only when a child is free for it; default false"),
        "reject_is_failure": Field(
            Boolean(), "a body that rejects its message for good has failed too; default true, as from Celery 5.7 on"
        ),
        "lowers_consumers": Field(
            Boolean(), "reduces_prefetch holds where the limit is each consumer's too; default false, as from Celery 5.7 on"
        ),
        "deduplicates": Field(
            Boolean(),
            "late only: a task that has succeeded, and is delivered again, is acknowledged without a run; default false",
        ),
        "autoscale": Field(AUTOSCALE, "its pool grows and shrinks with what is at hand, instead of concurrency"),
        "broker_heartbeat": Field(Duration(), "pool solo, on RabbitMQ: it loses its connection when a task outlasts two of them"),
        "remap_sigterm": Field(Boolean(), "its SIGTERM is a cold shutdown (REMAP_SIGTERM=SIGQUIT); default false"),
        "app": Field(LazyApp(), "the settings of its app, by which it sends what its tasks call and what follows them"),
        "persistent_results": Field(Boolean(), "results have delivery_mode 2; default false"),
        "declares": Field(
            WORKER_DECLARES,
            "what it declares each time it connects, the queues for its connection",
        ),
    },
)
NOTED_CHORD = Shape(
    "a noted chord",
    {
        "group": Field(NAME, "the id of the group that its header is", required=True),
        "size": Field(Integer(1), "so many tasks of it must return", required=True),
    },
    page="steps#chord",
)
SIGNAL = Shape(
    "a worker step",
    {
        "name": Field(NAME, "which worker", required=True),
        "do": Field(
            Choice("start", "term", "warm", "cold", "kill", "disconnect", "kill_child"),
            "start, term (SIGTERM: warm, or cold with remap_sigterm), warm (finishes what runs), cold (SIGQUIT), kill (SIGKILL), "
            "disconnect (by the broker), kill_child (all that run)",
            required=True,
        ),
    },
    page="steps#worker",
)


EXPECT_TASK = Shape(
    "the expectation of a task",
    {
        "state": Field(Choice(PENDING, *STATES.values()), "as a monitor would show it"),
        "fate": Field(Choice(*FATES), "what has become of it; lost: acknowledged, not done, and nothing will run it again"),
        "runs": Field(Count("a count"), "how often its body began"),
        "received": Field(Count("a count"), "how often a worker got it"),
        "retries": Field(Count("a count"), "how often it sent itself anew"),
        "worker": Field(ListOf(NAME, single=True), "which worker ran it last; a list: the workers of all its runs, in order"),
        "started_at": Field(Instant(), "when its last run began: 5s, or such as '>= 5s'; a list: all its runs"),
        "ended_at": Field(Instant(), "when its last run ended, the same"),
        "queue": Field(NAME, "out of which queue a worker got it last"),
        "error": Field(TextKind("a text"), "what stands in the reason of its last bad end, such as TimeLimitExceeded"),
    },
)
EXPECT_CHORD = Shape(
    "the expectation of a chord",
    {
        "state": Field(
            Choice("waits", "done", "failed", "lost"),
            "waits for its header; done, its body was sent; failed, so never; lost: a part will never return, so never either",
        ),
        "returned": Field(Count("a count"), "tasks of its header that have ended"),
    },
)
EXPECT_WORKER = Shape(
    "the expectation of a worker",
    {
        **{name: Field(Count("a count"), f"tasks {name}") for name in COUNTED.values()},
        "lost": Field(Count("a count"), "tasks that ended with it, acknowledged and not done"),
        "active": Field(Count("a count"), "tasks that run now"),
        "reserved": Field(Count("a count"), "tasks that wait for a child or for their rate limit now"),
        "held": Field(Count("a count"), "tasks that wait for their ETA now"),
        "prefetch": Field(Count("a count"), "the limit that it has sent last"),
        "online": Field(Boolean(), "whether it is connected"),
    },
)
