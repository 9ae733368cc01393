"""Each recorded sequence of Celery 5.7.0 on RabbitMQ 3.10.8 (rules/celery#2.3), row by row, on the embedded engine.

`expected` is the reference's sequence in its notation (notation.py). What a simulator without a wall clock cannot have is
the only allowed difference, and named at its row:

* an event loop's turn takes no time: a change of basic.qos is sent at once, not in up to two seconds (13, 14, 29);
* a dead child is noticed at once, a time limit strikes at its very second (19, 20, 22);
* which of several queues a freed slot goes to is one fixed order, not the broker's race (39).

Not here: what is no business between the broker and a worker, or no AMQP at all: 34's error at the *next* call (kombu reads
it only then; the engine's publisher knows at once), and 43's calls of the HTTP API. What is said of Redis in the reference is
another broker.
"""

from typing import Any, NamedTuple

import pytest
from kits.celery.notation import CLIENT, carried_out, command, delayed, delays, eta, scenario, send, signal, wait


class Row(NamedTuple):
    number: str
    title: str
    scenario: dict[str, Any]
    sequence: str


def one(steps: list[Any], workers: dict[str, Any] | None = None, **task: Any) -> dict[str, Any]:
    """One task `t` and these steps."""
    more = {} if workers is None else {"workers": workers}
    return {"tasks": {"t": {"takes": "2s", **task}}, "steps": steps, **more}


def slots(number: int, **more: Any) -> dict[str, Any]:
    """A worker `w` with c·m = number."""
    return {"w": {"queues": "q", "prefetch": number, **more}}


def obeys(number: int = 4) -> dict[str, Any]:
    """A worker with an inbox for commands."""
    return {
        "exchanges": {"celery.pidbox": {"type": "fanout", "durable": False}},
        "queues": {"q": {}, "w.pidbox": {}},
        "bindings": [{"source": "celery.pidbox", "destination": "w.pidbox"}],
        "workers": slots(number, control="w.pidbox"),
    }


LATE = {"acks": "late"}
DEAD = {
    "exchanges": {"dlx": "fanout"},
    "bindings": [{"source": "dlx", "destination": "dead"}],
    "queues": {"q": {"arguments": {"x-dead-letter-exchange": "dlx"}}, "dead": {}},
}
PING = '{"method": "ping", "arguments": {}, "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "oid"}}'
AUTORETRY = {"takes": 0, "ends": "retry", "countdown": "1s", "max_retries": 2}
LIMITED = {
    "exchanges": {"dlx": "fanout"},
    "bindings": [{"source": "dlx", "destination": "dead"}],
    "queues": {
        "q": {"arguments": {"x-queue-type": "quorum", "x-delivery-limit": 2, "x-dead-letter-exchange": "dlx"}},
        "dead": {},
    },
    "workers": slots(4, prefetch_of="consumer"),
}
COUNTDOWNS = [send(f"e{number}", **eta(30)) for number in range(1, 6)]
TWO = {"w1": {"queues": "q", "prefetch": 4}, "w2": {"queues": "q", "prefetch": 4, "start": False}}

ROWS = [
    Row("1", "success, early", one([send("t")]), "P, D(1), A(1), run, 2s: end"),
    Row("2", "success, late", one([send("t")], **LATE), "P, D(1), run, 2s: end, A(1)"),
    Row("3", "exception, early: lost for the broker", one([send("t")], ends="exception"), "P, D(1), A(1), run, 2s: fails"),
    Row(
        "4",
        "exception, late: acked, not redelivered",
        one([send("t")], ends="exception", **LATE),
        "P, D(1), run, 2s: fails, A(1)",
    ),
    Row(
        "5",
        "exception, late, acks_on_failure false, DLX",
        {**DEAD, **one([send("t")], ends="exception", on_failure="reject", **LATE)},
        "P, D(1), run, 2s: fails, RJ(1,drop), DLX(rejected)",
    ),
    Row(
        "5b",
        "exception, late, acks_on_failure false, no DLX",
        one([send("t")], ends="exception", on_failure="reject", **LATE),
        "P, D(1), run, 2s: fails, RJ(1,drop), gone(rejected)",
    ),
    Row(
        "6",
        "Reject(requeue=True), late: back to the head",
        {
            "tasks": {
                "r": {"acks": "late", "takes": "1s", "runs": [{"run": 1, "ends": "requeue"}]},
                "t": {"acks": "late", "takes": "1s"},
            },
            "workers": slots(3),
            "until": "2s",
            "steps": [send("R", "r"), send("X"), send("Y"), send("W"), send("V"), wait("1s")],
        },
        "P R, D(1) R, run R, P X, D(2) X, P Y, D(3) Y, P W, P V, 1s: RJ(1,req) R, D(4,r) R, run X, 2s: end X, A(2) X, "
        "D(5) W, run Y",
    ),
    Row(
        "7",
        "Reject(requeue=False), late",
        one([send("t")], ends="reject", **LATE),
        "P, D(1), run, 2s: fails, RJ(1,drop), gone(rejected)",
    ),
    Row("7b", "Ignore, late", one([send("t")], ends="ignore", **LATE), "P, D(1), run, 2s: end, A(1)"),
    Row("8", "Reject, early", one([send("t")], ends="reject"), "P, D(1), A(1), run, 2s: fails"),
    Row("8b", "Reject(requeue=True), early", one([send("t")], ends="requeue"), "P, D(1), A(1), run, 2s: end"),
    Row(
        "9",
        "autoretry late, delay 1 s, max 2",
        one([send("t")], **AUTORETRY, **LATE),
        "P, D(1), run, P(retries=1), D(2), Q(5,g), A(1), 1s: Q(4,g), run, P(retries=2), D(3), Q(5,g), A(2), "
        "2s: Q(4,g), run, fails, A(3)",
    ),
    Row(
        "10",
        "autoretry early",
        one([send("t")], **AUTORETRY),
        "P, D(1), A(1), run, P(retries=1), D(2), Q(5,g), 1s: Q(4,g), A(2), run, P(retries=2), D(3), Q(5,g), "
        "2s: Q(4,g), A(3), run, fails",
    ),
    Row(
        "11",
        "self.retry(countdown=3)",
        one([send("t")], runs=[{"retries": 0, "ends": "retry", "countdown": "3s"}], **LATE),
        "P, D(1), run, 2s: P(retries=1), D(2), Q(5,g), A(1), 5s: Q(4,g), run, 7s: end, A(2)",
    ),
    Row(
        "12",
        "countdown on direct exchange, classic",
        one([send("t", **eta(3))]),
        "P, D(1), Q(5,g), 3s: Q(4,g), A(1), run, 5s: end",
    ),
    Row(
        "13",
        "5 x countdown 30 and one that is due, c·m=1; KILL",  # a turn of the event loop takes no time here
        one([*COUNTDOWNS, send("now"), wait("5s"), signal("w", "kill")], slots(1)),
        "P e1, D(1) e1, Q(2,g), P e2, D(2) e2, Q(3,g), P e3, D(3) e3, Q(4,g), P e4, D(4) e4, Q(5,g), P e5, D(5) e5, Q(6,g), "
        "P now, D(6) now, A(6) now, run now, 2s: end now, "
        "5s: X, back(1) e1, back(2) e2, back(3) e3, back(4) e4, back(5) e5, offline",
    ),
    Row(
        "14",
        "the same with worker_eta_task_limit 3: even what is due waits",
        one([*COUNTDOWNS, send("now"), wait("30s")], slots(1, eta_limit=3), takes=0),
        "P e1, D(1) e1, Q(2,g), P e2, D(2) e2, Q(3,g), P e3, D(3) e3, P e4, P e5, P now, "
        "30s: Q(2,g), A(1) e1, run e1, end e1, Q(1,g), A(2) e2, run e2, end e2, A(3) e3, D(4) e4, run e3, end e3, "
        "A(4) e4, D(5) e5, run e4, end e4, A(5) e5, D(6) now, run e5, end e5, A(6) now, run now, end now",
    ),
    Row(
        "15",
        "countdown on quorum and direct exchange, c·m=1: the consumer's limit does not grow",
        {
            **one([send("e", **eta(5)), send("now")], slots(1, prefetch_of="consumer")),
            "queues": {"q": {"arguments": {"x-queue-type": "quorum"}}},
        },
        "P e, D(1) e, Q(2,c), P now, 5s: Q(1,c), A(1) e, D(2) now, run e, 7s: end e, A(2) now, run now, 9s: end now",
    ),
    Row(
        "16",
        "countdown on quorum and topic: the broker waits, the worker gets it when it is due",
        {**one([delayed("t", 5)]), **delays(2, 1, 0)},
        "P, 4s: DLX(expired), 5s: DLX(expired), D(1), A(1), run, 7s: end",
    ),
    Row(
        "16b",
        "a retry delayed again: the old bits leave the key",
        {**one([delayed("t", 1)], takes=0, runs=[{"retries": 0, "ends": "retry", "countdown": "2s"}]), **delays(1, 0)},
        "P, 1s: DLX(expired), D(1), A(1), run, P(retries=1), 3s: DLX(expired), D(2), A(2), run, end",
    ),
    Row(
        "17",
        "a delayed message whose key is bound nowhere stays in celery_delayed_0 until a binding draws it out",
        {
            **one(
                [
                    delayed("t", 1, key="other"),
                    wait("5s"),
                    {
                        "bind": {
                            "source": "celery_delayed_delivery",
                            "destination": "orders",
                            "destination_type": "queue",
                            "routing_key": "#.other",
                        }
                    },
                ],
            ),
            **delays(0),
            "until": "200s",
        },
        "P, 181s: DLX(expired), D(1), A(1), run, 183s: end",
    ),
    Row(
        "18b",
        "child SIGKILL, late, acks_on_failure off: rejected for good, like any failure",
        one([send("t")], ends="kill_child", on_failure="reject", **LATE),
        "P, D(1), run, 2s: fails, RJ(1,drop), gone(rejected)",
    ),
    Row("18", "child SIGKILL, early: gone", one([send("t")], ends="kill_child"), "P, D(1), A(1), run, 2s: fails"),
    Row(
        "19",
        "child SIGKILL, late: acked, lost",
        one([send("t")], ends="kill_child", **LATE),
        "P, D(1), run, 2s: fails, A(1)",
    ),
    Row(
        "20",
        "the same and reject_on_worker_lost: endless",
        {"until": "6s", **one([send("t")], ends="kill_child", on_worker_lost="requeue", **LATE)},
        "P, D(1), run, 2s: RJ(1,req), D(2,r), run, 4s: RJ(2,req), D(3,r), run, 6s: RJ(3,req), D(4,r), run",
    ),
    Row(
        "21",
        "the same on quorum with x-delivery-limit 2: 3 deliveries in all",
        {**one([send("t")], ends="kill_child", on_worker_lost="requeue", **LATE), **LIMITED},
        "P, D(1), run, 2s: RJ(1,req), D(2,r), run, 4s: RJ(2,req), D(3,r), run, 6s: RJ(3,req), DLX(delivery_limit)",
    ),
    Row(
        "22",
        "hard time limit 2 s, late",
        one([send("t")], **{**LATE, "takes": "9s"}, time_limit="2s"),
        "P, D(1), run, 2s: fails, A(1)",
    ),
    Row(
        "22b",
        "hard time limit 2 s, late, acks_on_timeout false",
        {"until": "3s", **one([send("t")], **{**LATE, "takes": "9s"}, time_limit="2s", on_timeout="requeue")},
        "P, D(1), run, 2s: fails, RJ(1,req), D(2,r), run",
    ),
    Row(
        "23",
        "worker SIGKILL, early running, 1 early and 1 late prefetched",
        {
            "tasks": {"early": {"takes": "2s"}, "late": {"takes": "2s", "acks": "late"}},
            "workers": TWO,
            "steps": [
                send("a", "early"),
                send("b", "early"),
                send("c", "late"),
                wait("1s"),
                signal("w1", "kill"),
                signal("w2", "start"),
            ],
        },
        "P a, w1 D(1) a, w1 A(1) a, w1 run a, P b, w1 D(2) b, P c, w1 D(3) c, "
        "1s: w1 X, w1 back(2) b, w1 back(3) c, w1 offline, w2 Q(4,g), w2 D(1,r) b, w2 D(2,r) c, w2 A(1) b, w2 run b, "
        "3s: w2 end b, w2 run c, 5s: w2 end c, w2 A(2) c",
    ),
    Row(
        "24",
        "worker SIGKILL, late running, the other alive: to the survivor when its window allows, in queue order",
        {
            "tasks": {"t": {"takes": "4s", "acks": "late"}},
            "workers": {"w1": {"queues": "q", "prefetch": 2}, "w2": {"queues": "q", "prefetch": 2}},
            "until": "8s",
            "steps": [send("a"), send("b"), send("c"), send("d"), wait("1s"), signal("w1", "kill")],
        },
        "P a, w1 D(1) a, w1 run a, P b, w2 D(1) b, w2 run b, P c, w1 D(2) c, P d, w2 D(2) d, "
        "1s: w1 X, w1 back(1) a, w1 back(2) c, w1 offline, 4s: w2 end b, w2 A(1) b, w2 D(3,r) a, w2 run d, "
        "8s: w2 end d, w2 A(2) d, w2 D(4,r) c, w2 run a",
    ),
    Row(
        "25",
        "broker closes the connection, 2 late running and 2 prefetched, c=2 m=2",
        one(
            [send("a"), send("b"), send("c"), send("d"), wait("2s"), signal("w", "disconnect")],
            slots(4, concurrency=2),
            **{**LATE, "takes": "8s"},
        ),
        "P a, D(1) a, run a, P b, D(2) b, run b, P c, D(3) c, P d, D(4) d, "
        "2s: X, back(1) a, back(2) b, back(3) c, back(4) d, Q(2,g), D(1,r) a, D(2,r) b, "
        "8s: end a, unsettled a, run a, end b, unsettled b, run b, "
        "16s: Q(4,g), D(3,r) c, D(4,r) d, end a, A(1) a, run c, end b, A(2) b, run d, 24s: end c, A(3) c, end d, A(4) d",
    ),
    Row(
        "26",
        "queue deleted under a worker: it reconnects and declares it again",
        {
            **one(
                [send("a"), wait("3s"), {"delete": {"queue": "q", "channel": CLIENT}}, send("b")],
                slots(4, declares={"queues": {"q": {}}}),
            ),
        },
        "P a, D(1) a, A(1) a, run a, 2s: end a, 3s: q deleted, cancel, X, Q(4,g), P b, D(1) b, A(1) b, run b, 5s: end b",
    ),
    Row(
        "27",
        "rate_limit 1/s x 6, then another task, c·m=4",
        {
            "tasks": {"slow": {"rate_limit": 1}, "t": {}},
            "until": "2s",
            "steps": [*(send(f"r{number}", "slow") for number in range(1, 7)), send("other"), wait("3s")],
        },
        "P r1, D(1) r1, A(1) r1, run r1, end r1, P r2, D(2) r2, P r3, D(3) r3, P r4, D(4) r4, P r5, D(5) r5, P r6, P other, "
        "1s: A(2) r2, D(6) r6, run r2, end r2, 2s: A(3) r3, D(7) other, run r3, end r3, A(7) other, run other, end other",
    ),
    Row(
        "28",
        "revoke a prefetched task: nothing until its turn",
        {**one([send("a"), send("b"), command("revoke", task_id="b")]), **obeys()},
        "P a, D(1) a, A(1) a, run a, P b, D(2) b, P revoke, D revoke, 2s: end a, A(2) b, revoked b",
    ),
    Row(
        "29",
        "revoke an ETA-held task: it holds its place until its ETA",  # the ack left at the next turn, 1.5 s later
        {**one([send("t", **eta(4)), wait("1s"), command("revoke", task_id="t")]), **obeys()},
        "P t, D(1) t, Q(5,g), 1s: P revoke, D revoke, 4s: Q(4,g), A(1) t, revoked t",
    ),
    Row(
        "30",
        "revoke(terminate=True), running, early",
        {**one([send("t"), wait("1s"), command("revoke", task_id="t", terminate=True)]), **obeys()},
        "P t, D(1) t, A(1) t, run t, 1s: P revoke, D revoke, terminated t",
    ),
    Row(
        "30b",
        "revoke(terminate=True), running, late: acked at once, never redelivered",
        {**one([send("t"), wait("1s"), command("revoke", task_id="t", terminate=True)], **LATE), **obeys()},
        "P t, D(1) t, run t, 1s: P revoke, D revoke, A(1) t, terminated t",
    ),
    Row(
        "31",
        "expires=1 alone in the queue, no worker, DLX",
        {**one([send("t", expiration="1000"), wait("3s")], {}), **DEAD},
        "P, 1s: DLX(expired)",
    ),
    Row(
        "31b",
        "expires=1 alone in the queue, no worker",
        one([send("t", expiration="1000"), wait("3s")], {}),
        "P, 1s: gone(expired)",
    ),
    Row(
        "32",
        "A without expiry, then B, C with expires=1: they stay counted behind it",
        {
            **one(
                [
                    send("A"),
                    send("B", expiration="1000"),
                    send("C", expiration="1000"),
                    wait("2500ms"),
                    {"expect": {"queues": {"q": {"ready": 3}}}},
                    signal("w", "start"),
                ],
                slots(1, start=False),
                takes=0,
            ),
        },
        "P A, P B, P C, 2.5s: Q(1,g), D(1) A, gone(expired) B, gone(expired) C, A(1) A, run A, end A",
    ),
    Row(
        "33",
        "wrong key on a bound exchange: dropped, and confirmed if the publisher asks",
        {
            **one([send("t", exchange="x", routing_key="wrong")]),
            "exchanges": {"x": "direct"},
            "bindings": [{"source": "x", "destination": "q", "routing_key": "right"}],
        },
        "P, nowhere, confirmed",
    ),
    Row(
        "34",
        "missing exchange: the channel is closed with 404",
        one([{**send("t", exchange="missing"), "fails": 404}]),
        "P, client X(404)",
    ),
    Row(
        "35",
        "queue='typo_queue': created, and nobody reads it",
        one(
            [
                {"declare": {"queues": {"typo_queue": {}}}},
                send("t", routing_key="typo_queue"),
                wait("60s"),
                {"expect": {"queues": {"typo_queue": {"ready": ["t"]}}}},
            ]
        ),
        "P",
    ),
    Row(
        "36",
        "task_queue_max_priority on an existing queue: 406, the worker exits",
        one(
            [send("t"), {"worker": {"name": "w", "do": "start"}, "fails": 406}],
            slots(4, start=False, declares={"queues": {"q": {"arguments": {"x-max-priority": 10}}}}),
        ),
        "P, Q(4,g), X(406), X, offline",
    ),
    Row(
        "37",
        "quorum queue with a global limit: 540, a reconnect loop",
        {
            **one([send("t"), {"worker": {"name": "w", "do": "start"}, "fails": 540}, wait("2s")], slots(4, start=False)),
            "queues": {"q": {"arguments": {"x-queue-type": "quorum"}}},
            "until": "2s",
        },
        "P, Q(4,g), X(540), 1s: Q(4,g), X(540), 2s: Q(4,g), X(540)",
    ),
    Row(
        "38",
        "x-max-priority 10, c·m=1: what is prefetched already goes first",
        {
            **one([send("a0"), *(send(id, priority=int(id[1:])) for id in ("b0", "c0", "d9", "e15"))], slots(1), takes="1s"),
            "queues": {"q": {"arguments": {"x-max-priority": 10}}},
        },
        "P a0, D(1) a0, A(1) a0, run a0, P b0, D(2) b0, P c0, P d9, P e15, "
        "1s: end a0, A(2) b0, D(3) e15, run b0, 2s: end b0, A(3) e15, D(4) d9, run e15, "
        "3s: end e15, A(4) d9, D(5) c0, run d9, 4s: end d9, A(5) c0, run c0, 5s: end c0",
    ),
    Row(
        "39",
        "two queues of 6, c·m=4: the first consumed queue fills the window",  # no promise of the interleaving later on
        {
            "tasks": {"t": {"takes": "1s"}},
            "queues": {"d": {}, "m": {}},
            "workers": {"w": {"queues": ["d", "m"], "prefetch": 4, "start": False}},
            "until": "1s",
            "steps": [
                *(send(f"d{number}", routing_key="d") for number in range(6)),
                *(send(f"m{number}", routing_key="m") for number in range(6)),
                signal("w", "start"),
            ],
        },
        "P d0, P d1, P d2, P d3, P d4, P d5, P m0, P m1, P m2, P m3, P m4, P m5, "
        "Q(4,g), D(1) d0, D(2) d1, D(3) d2, D(4) d3, A(1) d0, D(5) m0, run d0, 1s: end d0, A(2) d1, D(6) m1, run d1",
    ),
    Row(
        "40",
        "4 long early tasks, w1 alone, w2 joins later: idle for 12 s",
        {
            **one([*(send(f"t{number}") for number in range(4)), wait("1s"), signal("w2", "start")], TWO, takes="3s"),
        },
        "P t0, w1 D(1) t0, w1 A(1) t0, w1 run t0, P t1, w1 D(2) t1, P t2, w1 D(3) t2, P t3, w1 D(4) t3, "
        "1s: w2 Q(4,g), 3s: w1 end t0, w1 A(2) t1, w1 run t1, 6s: w1 end t1, w1 A(3) t2, w1 run t2, "
        "9s: w1 end t2, w1 A(4) t3, w1 run t3, 12s: w1 end t3",
    ),
    Row(
        "41",
        "inspect ping: each worker gets it and answers, the reply queue goes with its consumer",
        {
            **one(
                [
                    {"publish": {**command("ping")["publish"], "body": PING}},
                    wait("1s"),
                    {"cancel": "inspect"},
                ]
            ),
            # Which of two queues is first is a race, here won as 4.x mostly has it: the first name.
            "rabbitmq": "4.0",
            "exchanges": {"celery.pidbox": {"type": "fanout", "durable": False}, "reply.celery.pidbox": "direct"},
            "queues": {
                "q": {},
                "w1.pidbox": {},
                "w2.pidbox": {},
                "oid.reply": {"auto_delete": True, "durable": False},
            },
            "bindings": [
                {"source": "celery.pidbox", "destination": "w2.pidbox"},
                {"source": "celery.pidbox", "destination": "w1.pidbox"},
                {"source": "reply.celery.pidbox", "destination": "oid.reply", "routing_key": "oid"},
            ],
            "workers": {
                name: {"queues": "q", "control": f"{name}.pidbox", "replies": "reply.celery.pidbox"} for name in ("w1", "w2")
            },
            "consumers": {"inspect": {"queue": "oid.reply", "auto_ack": True}},
        },
        "P, w1 D, w2 D, w1 P, inspect D, w2 P, inspect D, 1s: oid.reply deleted",
    ),
    Row(
        "42",
        "Broadcast task, 2 workers: run twice with one id",
        {
            "tasks": {"t": {"takes": "2s"}},
            "exchanges": {"bc": "fanout"},
            # Celery names them at random; 3.10 mostly serves the last name first.
            "queues": {"bcast.1": {}, "bcast.2": {}},
            "bindings": [{"source": "bc", "destination": "bcast.2"}, {"source": "bc", "destination": "bcast.1"}],
            "workers": {"w1": {"queues": "bcast.2", "prefetch": 4}, "w2": {"queues": "bcast.1", "prefetch": 4}},
            "steps": [send("t", exchange="bc")],
        },
        "P, w1 D(1), w2 D(1), w1 A(1), w1 run, w2 A(1), w2 run, 2s: w1 end, w2 end",
    ),
    Row(
        "43",
        "Flower: gets the events while it is there; killed: its queue is gone, events go nowhere",
        {
            **one([send("a"), wait("3s"), {"crash": "flower"}, send("b")], takes=0),
            "exchanges": {"celeryev": "topic"},
            "queues": {"q": {}, "events": {"exclusive": True, "auto_delete": True, "durable": False, "channel": "flower"}},
            "bindings": [{"source": "celeryev", "destination": "events", "routing_key": "#"}],
            "workers": slots(4, events="celeryev"),
            "consumers": {"flower": {"queue": "events", "channel": "flower", "auto_ack": True}},
        },
        "P w-event-1, flower D w-event-1, P a, D(1) a, P w-event-2, flower D w-event-2, A(1) a, run a, "
        "P w-event-3, flower D w-event-3, end a, P w-event-4, flower D w-event-4, 3s: events deleted, "
        "P b, D(2) b, P w-event-5, nowhere w-event-5, A(2) b, run b, P w-event-6, nowhere w-event-6, "
        "end b, P w-event-7, nowhere w-event-7",
    ),
    Row(
        "44",
        "two beats every 3 s: every task twice",
        one(
            [
                {"publish": {**send("one")["publish"], "count": 2, "every": "3s"}},
                {"publish": {**send("two")["publish"], "count": 2, "every": "3s"}},
                wait("3s"),
            ],
            {},
        ),
        "P one-1, P two-1, 3s: P one-2, P two-2",
    ),
    Row(
        "45",
        "results that nobody reads: the queue is declared before each publish and fills, and expires only afterwards",
        {
            **one(
                [
                    step
                    for number in range(3)
                    for step in (
                        {"declare": {"queues": {"oid": {"auto_delete": True, "arguments": {"x-expires": 5000}}}}},
                        send(f"t{number}", reply_to="oid"),
                        wait("3s"),
                    )
                ]
                + [{"expect": {"queues": {"oid": {"ready": 3}}}}],
                slots(4, results=True),
                takes=0,
            ),
            "until": "20s",
        },
        "P t0, D(1) t0, A(1) t0, run t0, P t0-result-1, end t0, 3s: P t1, D(2) t1, A(2) t1, run t1, P t1-result-1, end t1, "
        "6s: P t2, D(3) t2, A(3) t2, run t2, P t2-result-1, end t2, 11s: oid deleted",
    ),
    Row(
        "46",
        "acknowledgement later than the consumer timeout: 406, everything goes back, the worker exits",
        {
            **one([send("a"), send("b"), wait("1h")], **{**LATE, "takes": "40m"}),
            "until": "1h",
        },
        "P a, D(1) a, run a, P b, D(2) b, 1860s: X(406), back(1) a, back(2) b, X, offline",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.title}")
def test_row(row: Row) -> None:
    sequence, _ = carried_out(scenario(**row.scenario))
    assert sequence == row.sequence
