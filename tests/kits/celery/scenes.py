"""Scenarios with Celery, each showing one of its rules; that they hold and expand to the same events is tested for all."""

SCENES: dict[str, str] = {
    "a task goes to the default exchange": """
celery:
  apps: {shop: {task_queues: {celery: , mail: {exchange: mail}}, task_routes: {"mail.*": mail}}}
  workers: {w1: {gossip: false}}
  tasks: {add: , mail.send: {takes: 2s}}
steps:
  - call: {task: add, args: [1, 2], kwargs: {deep: {a: [1, null]}}}
  - call: {task: mail.send, count: 3, every: 1s, id: m}
expect:
  tasks: {add-1: {state: SUCCESS}, m-1: {state: SUCCESS}, m-3: {state: SUCCESS, runs: 1}}
  workers: {w1: {succeeded: 4}}
""",
    "a worker drops the tasks of another app": """
celery:
  apps: {a: , b: }
  workers: {wa: {app: a}, wb: {app: b, start: false}}
  tasks: {mine: {app: a}, others: {app: b}, of-both: {app: [a, b]}}
  producers: {pb: {app: b}}
tasks: {plain: }
steps:
  - call: {task: others, by: pb, id: dropped}
  - call: {task: of-both, by: pb, id: known}
  - call: {task: plain, by: pb, id: plain}
  - call: {task: mine, by: pb, id: mine}
expect:
  tasks: {dropped: {state: REJECTED, runs: 0}, known: {state: SUCCESS}, plain: {state: SUCCESS}, mine: {state: SUCCESS}}
  lost: 1
""",
    "a typo makes a queue that nobody reads": """
celery: {apps: {shop: }, workers: {w1: }, tasks: {add: }}
steps:
  - call: {task: add, queue: typo_queue, id: t1}
expect:
  queues: {typo_queue: {ready: [t1]}}
  workers: {w1: {received: 0}}
""",
    "a countdown on a direct exchange waits in the worker": """
celery: {apps: {shop: }, workers: {w1: }, tasks: {add: }}
steps:
  - call: {task: add, id: t1, countdown: 10}
  - wait: 9s
  - expect: {workers: {w1: {held: 1}}, queues: {celery: {unacked: [t1]}}}
  - wait: 2s
  - expect: {tasks: {t1: {state: SUCCESS}}}
""",
    "a countdown on a quorum queue waits in the broker": """
rabbitmq: "3.10"
celery:
  apps:
    shop:
      task_default_queue: orders
      task_queues: {orders: {exchange: orders, exchange_type: topic, queue_arguments: {x-queue-type: quorum}}}
  workers: {w1: }
  tasks: {add: }
steps:
  - call: {task: add, id: t1, countdown: 5}
  - wait: 4s
  - expect: {queues: {celery_delayed_0: {ready: [t1]}, celery_delayed_2: {ready: 0}}, workers: {w1: {received: 0}}}
  - wait: 1s
  - expect: {tasks: {t1: {state: SUCCESS}}}
""",
    "what nobody runs in time expires": """
celery: {apps: {shop: }, workers: {w1: {start: false}}, tasks: {add: }}
steps:
  - call: {task: add, id: t1, expires: 1}
  - wait: 900ms
  - expect: {queues: {celery: {ready: [t1]}}}
  - wait: 200ms
  - worker: {name: w1, do: start}
expect: {workers: {w1: {received: 0}}, queues: {celery: {ready: 0}}}
""",
    "results that nobody reads pile up": """
celery:
  apps: {shop: {result_backend: "rpc://"}}
  workers: {w1: }
  tasks: {add: }
  beats: {beat: {schedule: {tick: {task: add, every: 3s}}}}
until: 33s
expect: {queues: {beat.oid: {ready: 11}}}
""",
    "each publish keeps the queue of results alive": """
celery:
  apps: {shop: {result_backend: "rpc://", result_expires: 4}}
  workers: {w1: }
  tasks: {add: }
  beats: {beat: {schedule: {tick: {task: add, every: 3s}}}}
steps:
  - call: {task: add, id: t1}
  - wait: 4500ms
  - expect: {queues: {client.oid: {exists: false}, beat.oid: {exists: true}}}
until: 11s
expect: {queues: {beat.oid: {ready: 3}}}
""",
    "a get reads the result": """
celery:
  apps: {shop: {result_backend: "rpc://"}}
  workers: {w1: }
  tasks: {add: {takes: 1s}}
steps:
  - call: {task: add, id: t1, get: true}
  - call: {task: add, id: t2, get: true}
expect:
  consumers: {"client (results)": {delivered: [t1-result-1, t2-result-1]}}
  queues: {client.oid: {ready: 0}}
""",
    "two beats send everything twice": """
celery:
  apps: {shop: }
  workers: {w1: }
  tasks: {add: }
  beats:
    one: {schedule: {tick: {task: add, every: 3s}}}
    two: {schedule: {tick: {task: add, every: 3s}}}
until: 10s
expect: {workers: {w1: {succeeded: 6}}}
""",
    "a crontab by the time at which the scenario starts": """
celery:
  apps: {shop: }
  workers: {w1: }
  tasks: {add: }
  starts: "2026-03-01 02:59:30"
  beats: {beat: {schedule: {report: {task: add, crontab: "0 3 * * *"}, often: {task: add, crontab: {minute: "*/1"}}}}}
steps:
  - wait: 29s
  - expect: {workers: {w1: {received: 0}}}
  - wait: 2s
  - expect: {tasks: {beat-report-1: {state: SUCCESS}, beat-often-1: {state: SUCCESS}}, workers: {w1: {received: 2}}}
  - wait: 1m
expect: {workers: {w1: {received: 3}}}
""",
    "a broadcast goes to every worker": """
celery:
  apps: {shop: {task_queues: {celery: , bc: {broadcast: true}}, task_routes: {reload: bc}}}
  workers: {w1: , w2: }
  tasks: {reload: }
steps:
  - call: {task: reload, id: t1}
expect: {tasks: {t1: {runs: 2}}, workers: {w1: {succeeded: 1}, w2: {succeeded: 1}}}
""",
    "each worker has a queue of its own besides": """
celery:
  apps: {shop: {worker_direct: true}}
  workers: {w1: , w2: }
  tasks: {add: }
steps:
  - call: {task: add, queue: w2.dq2}
expect: {workers: {w1: {succeeded: 0}, w2: {succeeded: 1}}}
""",
    "Flower misses what happens while it is down": """
celery:
  apps: {shop: }
  workers: {w1: {gossip: false}}
  tasks: {add: }
  flower:
steps:
  - call: {task: add}
  - flower: stop
  - call: {task: add}
  - expect: {queues: {celeryev.flower: {exists: false}}}
  - flower: start
  - call: {task: add}
expect: {consumers: {flower: {delivered: ">= 6"}}, workers: {w1: {succeeded: 3}}}
""",
    "Flower tells a worker that comes later": """
celery:
  apps: {shop: }
  workers: {w1: {start: false, gossip: false}}
  tasks: {add: }
  flower:
steps:
  - wait: 1s
  - worker: {name: w1, do: start}
  - call: {task: add}
  - wait: 1s
  - expect: {consumers: {flower: {delivered: [w1-event-1]}}}   # it is online; nothing of the task
  - wait: 4s
  - call: {task: add}
  - wait: 1s
expect: {consumers: {flower: {delivered: 4}}}
""",
    "commands to all, and to one": """
celery: {apps: {shop: }, workers: {w1: , w2: }, tasks: {add: {takes: 10s}}}
steps:
  - call: {task: add, id: a, count: 4}
  - control: {do: revoke, id: a-3}
  - control: {do: revoke, id: a-1, terminate: true}
  - control: {do: cancel_consumer, queue: celery, to: w2}
  - control: {do: rate_limit, task: add, rate: 1/m}
  - control: {do: add_consumer, queue: more, to: w1}
  - control: {do: ping}
  - call: {task: add, id: b, queue: more}
  - wait: 30s
expect:
  tasks: {a-3: {state: REVOKED}, a-1: {state: REVOKED}}
  consumers: {"client (replies)": {delivered: 2}}
""",
    "a row that is not committed yet": """
celery: {apps: {shop: }, workers: {w1: {concurrency: 2}}, tasks: {read: {takes: 10ms}}}
steps:
  - call: {task: read, id: early, commit: 50ms}
  - call: {task: read, id: late, commit: 50ms, on_commit: true}
expect: {tasks: {early: {state: FAILURE}, late: {state: SUCCESS}}}
""",
    "task-sent is an event of the caller": """
celery:
  apps: {shop: {task_send_sent_event: true}}
  workers: {w1: {start: false}}
  tasks: {add: }
  flower:
steps:
  - call: {task: add, id: t1}
expect: {consumers: {flower: {delivered: [t1-sent]}}}
""",
    "late acknowledgement with everything": """
celery:
  apps: {shop: {task_acks_late: true, task_reject_on_worker_lost: true, task_time_limit: 5, task_default_rate_limit: 10/s}}
  workers: {w1: {restart: 1s}}
  tasks:
    dies: {runs: [{run: 1, ends: kill_child}]}
    long: {takes: 10s, acks_on_failure_or_timeout: false, runs: [{run: 2, takes: 1s}]}
    again: {ends: exception, autoretry: true, countdown: 1, max_retries: 2, rate_limit: 5/s, ignore_result: true}
    parent: {calls: [{task: dies, count: 2}, {task: again, priority: 3}]}
steps:
  - call: {task: dies, id: d}
  - call: {task: long, id: l}
  - call: {task: again, id: a}
  - call: {task: parent, id: p}
expect:
  tasks: {d: {state: SUCCESS, runs: 2}, l: {state: SUCCESS, runs: 2}, a: {state: FAILURE, retries: 2}, p: {state: SUCCESS}}
""",
    "a worker that is killed comes back with all its queues": """
celery:
  apps: {shop: }
  workers: {w1: {restart: 5s, events: true}, w2: {events: true}}
  tasks: {add: {takes: 1s}}
steps:
  - worker: {name: w1, do: kill}
  - expect: {queues: {w1.celery.pidbox: {exists: false}, celeryev.w1: {exists: false}}}
  - wait: 6s
  - expect: {queues: {w1.celery.pidbox: {exists: true}, celeryev.w1: {exists: true}}}
  - call: {task: add, count: 4}
  - control: {do: ping}
expect: {workers: {w1: {online: true, received: 2}}, consumers: {"client (replies)": {delivered: 2}}}
""",
    "beside plain sections": """
exchanges: {celery: direct, audit: fanout}
queues: {celery: , log: }
bindings: [{source: audit, destination: log}]
consumers: {logger: {queue: log}}
channels: {client: {prefetch: 5}}
tasks: {plain: {takes: 1s}}
workers: {own: {queues: [log]}}
celery: {apps: {shop: {broker_transport_options: {confirm_publish: true}}}, workers: {w1: }, tasks: {add: }}
steps:
  - publish: {exchange: audit, id: a}
  - call: {task: add}
  - call: {task: plain}
  - publish: {routing_key: celery, headers: {weird: 1.10, n: {short: 5}, date: "2026-01-01", yes: "true"}, id: raw}
expect: {consumers: {logger: {delivered: 1}}, workers: {w1: {succeeded: 2}}}
""",
    "what a task calls goes to a queue that nobody configured": """
celery:
  apps: {shop: {}}
  workers: {w1: }
  tasks: {parent: {calls: {task: child, queue: new}}, child: , other: {queue: newer, calls: [child, child]}}
steps:
  - call: {task: parent, id: p}
  - call: {task: other, id: o}
  - worker: {name: w1, do: warm}
expect:
  queues: {new: {ready: [p-sub-1]}, newer: {ready: [o]}}
  lost: 0
""",
    "what a task calls expires as the called task says": """
celery:
  apps: {shop: {worker_prefetch_multiplier: 1, task_acks_late: true}}
  workers: {w1: }
  tasks: {parent: {takes: 1s, calls: child}, child: {takes: 1s, expires: 5}, hog: {takes: 60s}}
steps:
  - call: {task: parent, id: p}
  - call: {task: hog, id: h}
expect:
  tasks: {h: {state: SUCCESS}, p-sub-1: {runs: 0}}
""",
    "a task that plans itself anew": """
celery:
  apps: {shop: {}}
  workers: {w1: }
  tasks: {again: {calls: {task: again, countdown: 10}}}
steps: [{call: {task: again, id: a}}]
until: 25s
expect:
  tasks: {a: {state: SUCCESS}, a-sub-1: {state: SUCCESS, started_at: 10s}, a-sub-1-sub-1: {started_at: 20s}, a-sub-1-sub-1-sub-1: {runs: 0}}
""",
    "what a task calls has its priority": """
celery:
  apps: {shop: {task_queue_max_priority: 9, task_inherit_parent_priority: true}}
  workers: {w1: {concurrency: 1}}
  tasks: {parent: {calls: child, takes: 1s}, child: {calls: grandchild}, grandchild: , hog: {takes: 1m}}
steps:
  - call: {task: parent, id: p, priority: 7}
  - wait: 10s
  - worker: {name: w1, do: warm}
  - call: {task: parent, id: low}
  - call: {task: grandchild, id: mid, priority: 5}
expect:
  tasks: {p-sub-1-sub-1: {state: SUCCESS}}
  queues: {celery: {ready: [mid, low]}}
""",
    "a result of what a task called goes to a queue that does not exist": """
celery:
  apps: {shop: {result_backend: "rpc://"}}
  workers: {w1: }
  tasks: {parent: {calls: child}, child: }
steps: [{call: {task: parent, id: p}}]
expect:
  queues: {client.oid: {ready: [p-result-1]}}
  unroutable: [p-sub-1-result-1]
""",
    "results outlive a restart of the broker when they are persistent": """
celery:
  apps: {shop: {result_backend: "rpc://", result_persistent: true}, other: {result_backend: "rpc://", task_default_queue: other}}
  workers: {w1: {app: shop}, w2: {app: other}}
  tasks: {add: {app: [shop, other]}}
  producers: {p1: {app: shop}, p2: {app: other}}
steps:
  - call: {task: add, id: kept, by: p1}
  - call: {task: add, id: gone, by: p2}
  - restart: clean
expect:
  queues: {p1.oid: {ready: [kept-result-1]}, p2.oid: {ready: 0}}
""",
    "a chain goes on only after success, and a retry keeps it": """
celery:
  apps: {shop: {}}
  workers: {w1: }
  tasks:
    flaky: {takes: 1s, runs: [{retries: 0, ends: retry, countdown: 5s}]}
    fails: {ends: exception}
    next: {takes: 1s}
    told: {errback: sent}
steps:
  - call: {chain: [flaky, next], id: good}
  - call: {chain: [{task: fails, link_error: told}, next], id: bad}
expect:
  tasks:
    good-1: {state: SUCCESS, runs: 2}
    good-2: {state: SUCCESS}
    bad-1: {state: FAILURE}
    bad-2: {runs: 0}
    bad-1-errback-1: {state: SUCCESS}
""",
    "a callback after success, an errback after failure": """
celery:
  apps: {shop: {}}
  workers: {w1: }
  tasks: {works: , fails: {ends: exception}, after: , told: {errback: sent}, silent: }
steps:
  - call: {task: works, id: w, link: after, link_error: told}
  - call: {task: fails, id: f, link: after, link_error: [told, silent]}
expect:
  tasks: {w-link-1: {state: SUCCESS}, f-errback-1: {state: SUCCESS}}
  workers: {w1: {started: 4}}
""",
    "the last of a chord's header sends its body": """
celery:
  apps: {shop: {result_backend: "redis://cache/1"}}
  workers: {w1: {concurrency: 2}, w2: }
  tasks: {part: {takes: 2s, runs: [{id: c-2, takes: 9s}]}, sum: }
steps:
  - call: {chord: {header: [{task: part, count: 3}], body: sum}, id: c}
  - wait: 8s
  - expect: {tasks: {c-4: {runs: 0}}}
expect:
  tasks: {c-1: {state: SUCCESS}, c-4: {state: SUCCESS, started_at: 9s}}
  chords: {c: {state: done}}
""",
    "a chord of which a part fails never has its body run": """
celery:
  apps: {shop: {result_backend: "redis://cache/1"}}
  workers: {w1: }
  tasks: {part: {takes: 2s, runs: [{id: c-1, ends: exception}]}, sum: , told: {errback: sent}}
steps:
  - call: {chord: {header: [part, part], body: sum}, link_error: told, id: c}
expect:
  tasks: {c-3: {runs: 0}, c-2-errback-1: {state: SUCCESS, started_at: 4s}}
  chords: {c: {state: failed}}
""",
    "a chord of which a part is killed waits for ever": """
celery:
  apps: {shop: {result_backend: "redis://cache/1"}}
  workers: {w1: {concurrency: 1}, w2: {concurrency: 1}}
  tasks: {part: {takes: 5s}, sum: , all: {calls: {chord: {header: [part, part], body: sum}}}}
steps:
  - call: {chord: {header: [part, part], body: sum}, id: c}
  - wait: 2s
  - worker: {name: w1, do: kill}
  - wait: 10s
  - call: {task: all, id: inner}
expect:
  tasks: {c-3: {runs: 0}, inner-sub-3: {state: SUCCESS}}
  chords: {c: {state: lost}, inner-group-1: {state: done}}
""",
    "a chain with a group in it": """
celery:
  apps: {shop: {result_backend: "redis://cache/1"}}
  workers: {w1: }
  tasks: {fetch: , resize: {takes: 1s}, publish: , thank: }
steps:
  - call: {chain: [fetch, {group: [{task: resize, id: small}, {task: resize, id: large}]}, publish, thank], id: order}
expect:
  tasks: {order-1: {state: SUCCESS}, small: {state: SUCCESS}, large: {state: SUCCESS}, order-2: {runs: 1}, order-3: {started_at: 2s}}
  chords: {order: {state: done}}
""",
    "a time limit of one call goes before the task's": """
celery:
  apps: {shop: {task_time_limit: 20}}
  workers: {w1: {concurrency: 3}}
  tasks: {slow: {takes: 8s}, parent: {calls: {task: slow, time_limit: 4}}}
steps:
  - call: {task: slow, id: short, time_limit: 3}
  - call: {task: slow, id: soft, soft_time_limit: 2}
  - call: {task: parent, id: p}
expect:
  tasks:
    short: {state: FAILURE, ended_at: 3s, error: TimeLimitExceeded}
    soft: {state: FAILURE, ended_at: 2s, error: SoftTimeLimitExceeded}
    p-sub-1: {state: FAILURE, ended_at: 4s}
""",
    "a revoked task sends a result, and its chord is told": """
celery:
  apps: {shop: {result_backend: "rpc://"}, count: {result_backend: "redis://", task_default_queue: count}}
  workers: {w1: {app: shop}, w2: {app: count, concurrency: 1}}
  tasks: {add: {app: [shop, count], takes: 1s}, theirs: {app: count}}
  producers: {p1: {app: shop}, p2: {app: count}}
steps:
  - call: {task: add, id: gone, by: p1, countdown: 5}
  - call: {task: theirs, id: unknown, by: p1}
  - call: {chord: {header: [add, {task: add, countdown: 9}], body: add}, id: c, by: p2}
  - control: {do: revoke, id: gone, by: p1}
  - control: {do: revoke, id: c-2, by: p2}
expect:
  tasks: {gone: {state: REVOKED}, c-2: {state: REVOKED}, c-3: {runs: 0}}
  queues: {p1.oid: {ready: [unknown-result-1, gone-result-1]}}
  chords: {c: {state: failed, returned: 2}}
  lost: 1
""",
}
