"""What every rule of `check` finds: a scenario with the fault, and the same without it."""

from routesim.diagnostics import ERROR, NOTE, WARNING

DLX = "x-dead-letter-exchange"
AT_LEAST_ONCE = "x-dead-letter-strategy: at-least-once, x-overflow: reject-publish"

RETRY_LOOP = f"""
rabbitmq: "4.3"
queues:
  jobs: {{type: quorum, arguments: {{{DLX}: "", x-dead-letter-routing-key: wait}}}}
  wait: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
"""

RETRY_COPIES = f"""
exchanges: {{shop: topic, again: direct}}
queues:
  billing: {{arguments: {{{DLX}: again, x-dead-letter-routing-key: billing}}}}
  mail:
  billing.again: {{arguments: {{x-message-ttl: 1000, x-dead-letter-exchange: shop, x-dead-letter-routing-key: order.created}}}}
bindings:
  - {{source: shop, destination: billing, routing_key: order.created}}
  - {{source: shop, destination: mail, routing_key: order.created}}
  - {{source: again, destination: billing.again, routing_key: billing}}
"""
CONFIRMS = """
queues: {jobs: {arguments: {x-max-length: 5, x-overflow: reject-publish}}}
channels: {app: {confirms: false}}
steps: [{publish: {routing_key: jobs, channel: app}}]
"""

UNREACHED = """
exchanges: {shop: topic}
queues: {mail: , mial: }
bindings: [{source: shop, destination: mail, routing_key: "#"}]
consumers: {mailer: {queue: mial}}
steps: [{publish: {exchange: shop, routing_key: a}}]
"""
COUNTDOWN = """
rabbitmq: "3.10"
celery: {apps: {shop: }, workers: {w1: }}
tasks: {report: }
steps: [{call: {task: report, id: r1, countdown: 1h}}]
"""

# code -> (severity, a scenario with the fault, the same without it)
CASES: dict[str, tuple[str, str, str]] = {
    "consumer-unreached": (NOTE, UNREACHED, UNREACHED.replace("queue: mial", "queue: mail")),
    "countdown-outlives-timeout": (WARNING, COUNTDOWN, COUNTDOWN.replace("countdown: 1h", "countdown: 20m")),
    "exchange-drops-all": (
        ERROR, "{exchanges: {shop: topic}, queues: {q: }}",
        "{exchanges: {shop: topic}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: '#'}]}",
    ),
    "exchange-drops-some": (
        NOTE, "{exchanges: {shop: topic}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: a.*}]}",
        "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}, rest: fanout}, queues: {q: , r: }, bindings: "
        "[{source: shop, destination: q, routing_key: a.*}, {source: rest, destination: r}]}",
    ),
    "dead-letter-nowhere": (
        ERROR, f"""
exchanges: {{shop: topic, dlx: direct}}
queues: {{jobs: {{arguments: {{{DLX}: dlx}}}}, parked: }}
bindings:
  - {{source: shop, destination: jobs, routing_key: "job.*"}}
  - {{source: dlx, destination: parked, routing_key: job.known}}
""", f"""
exchanges: {{shop: topic, dlx: topic}}
queues: {{jobs: {{arguments: {{{DLX}: dlx}}}}, parked: }}
bindings:
  - {{source: shop, destination: jobs, routing_key: "job.*"}}
  - {{source: dlx, destination: parked, routing_key: "job.#"}}
""",
    ),
    "dead-letter-kept": (
        WARNING, f"queues: {{jobs: {{type: quorum, arguments: {{{DLX}: gone, {AT_LEAST_ONCE}}}}}}}",
        f"queues: {{jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: parked, {AT_LEAST_ONCE}}}}}, parked: }}",
    ),
    "limit-loses": (
        WARNING, "queues: {jobs: {arguments: {x-message-ttl: 5000}}}",
        f"queues: {{jobs: {{arguments: {{x-message-ttl: 5000, {DLX}: '', x-dead-letter-routing-key: late}}}}, late: }}",
    ),
    "parking-loses": (
        ERROR, f"queues: {{jobs: {{arguments: {{{DLX}: '', x-dead-letter-routing-key: late}}}}, late: {{arguments: {{x-max-length: 10}}}}}}",
        f"queues: {{jobs: {{arguments: {{{DLX}: '', x-dead-letter-routing-key: late}}}}, late: }}",
    ),
    "parking-overlap": (
        ERROR, f"""
exchanges: {{shop: topic}}
queues: {{jobs: {{arguments: {{{DLX}: shop, x-dead-letter-routing-key: order.failed}}}}, parked: }}
bindings:
  - {{source: shop, destination: jobs, routing_key: "order.#"}}
  - {{source: shop, destination: parked, routing_key: order.failed}}
""", f"""
exchanges: {{shop: topic}}
queues: {{jobs: {{arguments: {{{DLX}: shop, x-dead-letter-routing-key: failed.order}}}}, parked: }}
bindings:
  - {{source: shop, destination: jobs, routing_key: "order.#"}}
  - {{source: shop, destination: parked, routing_key: failed.order}}
""",
    ),
    "cycle-cut": (
        ERROR, f"""
queues:
  jobs: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: wait}}}}
  wait: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
""", f"""
queues:
  jobs: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: wait}}}}
  wait:
""",
    ),
    "retry-endless": (
        WARNING, f"""
queues:
  jobs: {{arguments: {{{DLX}: "", x-dead-letter-routing-key: wait}}}}
  wait: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
""", f"""
queues:
  jobs: {{arguments: {{{DLX}: "", x-dead-letter-routing-key: wait}}}}
  wait: {{arguments: {{x-message-ttl: 1000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
  parked:
consumers:
  worker: {{queue: jobs, on_message: [{{attempt: ">= 3", do: ack, publish: {{routing_key: parked}}}}, {{do: reject}}]}}
""",
    ),
    "retry-uses-limit": (
        WARNING, RETRY_LOOP, RETRY_LOOP.replace('"4.3"', '"4.2"'),
    ),
    "requeue-endless": (
        WARNING, "{queues: {jobs: }, consumers: {worker: {queue: jobs, on_message: requeue}}}",
        "{queues: {jobs: }, consumers: {worker: {queue: jobs, on_message: [{attempt: 1, do: requeue}]}}}",
    ),
    "queue-expires": (
        WARNING, "queues: {jobs: {arguments: {x-expires: 60000}}}",
        "queues: {jobs: , reply: {exclusive: true, arguments: {x-expires: 60000}}, q: {auto_delete: true, arguments: {x-expires: 60000}}}",
    ),
    "policy-unused": (
        NOTE, """
exchanges: {shop: topic, rest: fanout}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: "#"}, {source: rest, destination: r}]
policies: [{name: catch, pattern: .*, apply-to: exchanges, definition: {alternate-exchange: rest}}]
""", """
exchanges: {shop: topic, rest: fanout}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: "#"}, {source: rest, destination: r}]
policies: [{name: catch, pattern: ^shop$, apply-to: exchanges, definition: {alternate-exchange: rest}}]
""",
    ),
    "expiry-late": (
        NOTE, """
queues: {wait: }
steps: [{publish: {routing_key: wait, expiration: "60000"}}, {publish: {routing_key: wait, expiration: "1000"}}]
""", """
queues: {wait: }
steps: [{publish: {routing_key: wait, expiration: "1000"}}, {publish: {routing_key: wait, expiration: "1000"}}]
""",
    ),
    "republish-endless": (
        WARNING, f"""
queues:
  jobs:
  wait: {{arguments: {{x-message-ttl: 60000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
consumers: {{worker: {{queue: jobs, on_message: [{{publish: {{routing_key: wait, headers: copy}}}}]}}}}
""", f"""
queues:
  jobs:
  wait: {{arguments: {{x-message-ttl: 60000, {DLX}: "", x-dead-letter-routing-key: jobs}}}}
consumers: {{worker: {{queue: jobs, on_message: [{{round: ">= 5", do: reject}}, {{publish: {{routing_key: wait, headers: copy}}}}]}}}}
""",
    ),
    "wildcard-on-direct": (
        ERROR, "{exchanges: {shop: direct}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: order.*}]}",
        "{exchanges: {shop: topic}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: order.*}]}",
    ),
    "star-is-one-word": (
        WARNING, """
exchanges: {shop: topic}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: ship.*}, {source: shop, destination: r, routing_key: "#"}]
steps: [{publish: {exchange: shop, routing_key: ship.shoes.eu}}]
""", """
exchanges: {shop: topic}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: "ship.#"}, {source: shop, destination: r, routing_key: "#"}]
steps: [{publish: {exchange: shop, routing_key: ship.shoes.eu}}]
""",
    ),
    "binding-adds-nothing": (
        NOTE, """
exchanges: {shop: topic}
queues: {q: }
bindings: [{source: shop, destination: q, routing_key: "#"}, {source: shop, destination: q, routing_key: ship.*}]
""", """
exchanges: {shop: topic}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: "#"}, {source: shop, destination: r, routing_key: ship.*}]
""",
    ),
    "headers-match-all": (
        WARNING, "{exchanges: {h: headers}, queues: {q: }, bindings: [{source: h, destination: q, arguments: {x-match: all, x-tier: gold}}]}",
        "{exchanges: {h: headers}, queues: {q: }, bindings: [{source: h, destination: q, arguments: {x-match: all-with-x, x-tier: gold}}]}",
    ),
    "headers-match-nothing": (
        WARNING, "{exchanges: {h: headers}, queues: {q: }, bindings: [{source: h, destination: q, arguments: {x-match: any}}]}",
        "{exchanges: {h: headers}, queues: {q: }, bindings: [{source: h, destination: q, arguments: {x-match: any, kind: shoes}}]}",
    ),
    "headers-unsatisfied": (
        WARNING, """
exchanges: {h: headers}
queues: {q: }
bindings: [{source: h, destination: q, arguments: {size: "42"}}]
steps: [{publish: {exchange: h, headers: {size: 42}}}]
""", """
exchanges: {h: headers}
queues: {q: }
bindings: [{source: h, destination: q, arguments: {size: 42}}]
steps: [{publish: {exchange: h, headers: {size: 42}}}]
""",
    ),
    "same-binding": (
        NOTE, """
exchanges: {shop: topic}
queues: {packer-1: , packer-2: , audit: }
bindings:
  - {source: shop, destination: packer-1, routing_key: ship.*}
  - {source: shop, destination: packer-2, routing_key: ship.*}
  - {source: shop, destination: audit, routing_key: ship.*}
""", """
exchanges: {shop: topic}
queues: {packer: , audit: , audit.v1: , audit.v2: }
bindings:
  - {source: shop, destination: packer, routing_key: ship.*}
  - {source: shop, destination: audit, routing_key: ship.*}
  - {source: shop, destination: audit.v1, routing_key: ship.*}
  - {source: shop, destination: audit.v2, routing_key: ship.*}
""",
    ),
    "queue-unreachable": (
        NOTE, "{exchanges: {shop: fanout}, queues: {q: , alone: }, bindings: [{source: shop, destination: q}]}",
        "{exchanges: {shop: fanout}, queues: {q: , alone: }, bindings: [{source: shop, destination: q}, {source: shop, destination: alone}]}",
    ),
    "policy-hidden": (
        WARNING, """
queues: {jobs: }
policies:
  - {name: low, pattern: .*, definition: {max-length: 5, overflow: reject-publish}, priority: 1}
  - {name: high, pattern: jobs, definition: {expires: 60000}, priority: 2}
""", """
queues: {jobs: }
policies:
  - {name: low, pattern: mail, definition: {max-length: 5, overflow: reject-publish}, priority: 1}
  - {name: high, pattern: jobs, definition: {expires: 60000}, priority: 2}
""",
    ),
    "policy-tie": (
        WARNING, """
queues: {jobs: }
policies:
  - {name: one, pattern: .*, definition: {max-length: 5, overflow: reject-publish}}
  - {name: two, pattern: jobs, definition: {expires: 60000}}
""", """
queues: {jobs: }
policies:
  - {name: one, pattern: .*, definition: {max-length: 5, overflow: reject-publish}}
  - {name: two, pattern: jobs, definition: {expires: 60000}, priority: 1}
""",
    ),
    "argument-meaningless": (
        WARNING, "queues: {jobs: {arguments: {x-overflow: reject-publish}}}",
        "queues: {jobs: {arguments: {x-overflow: reject-publish, x-max-length: 5}}}",
    ),
    "plugin-needed": (
        NOTE, "{exchanges: {h: x-random}, queues: {q: }, bindings: [{source: h, destination: q}]}",
        "{exchanges: {h: fanout}, queues: {q: }, bindings: [{source: h, destination: q}]}",
    ),
    "delayed-unroutable": (
        WARNING, """
exchanges: {later: {type: x-delayed-message, arguments: {x-delayed-type: fanout}}}
queues: {q: }
bindings: [{source: later, destination: q}]
steps: [{publish: {exchange: later, mandatory: true, headers: {x-delay: 5}}}]
""", """
exchanges: {later: {type: x-delayed-message, arguments: {x-delayed-type: fanout}}}
queues: {q: }
bindings: [{source: later, destination: q}]
steps: [{publish: {exchange: later, headers: {x-delay: 5}}}]
""",
    ),
    "version-will-refuse": (
        WARNING, "{rabbitmq: '3.13', queues: {jobs: {durable: false}}}", "{rabbitmq: '3.13', queues: {jobs: }}",
    ),
    "queue-without-consumer": (
        NOTE, "{queues: {jobs: , mail: }, consumers: {worker: {queue: jobs}}}",
        "{queues: {jobs: , mail: }, consumers: {worker: {queue: jobs}, mailer: {queue: mail}}}",
    ),
    "prefetch-unlimited": (
        WARNING, "{queues: {jobs: }, consumers: {a: {queue: jobs}, b: {queue: jobs, prefetch: 1}}}",
        "{queues: {jobs: }, consumers: {a: {queue: jobs, prefetch: 5}, b: {queue: jobs, prefetch: 1}}}",
    ),
    "auto-ack-shared": (
        WARNING, "{queues: {jobs: }, consumers: {a: {queue: jobs, auto_ack: true}, b: {queue: jobs, prefetch: 1}}}",
        "{queues: {jobs: }, consumers: {a: {queue: jobs, auto_ack: true}}}",
    ),
    "task-outlives-timeout": (
        ERROR, """
rabbitmq: "3.10"
queues: {jobs: }
tasks: {report: {takes: 40m, acks: late}}
workers: {w1: {queues: jobs, prefetch: 1}}
""", """
rabbitmq: "3.10"
queues: {jobs: }
tasks: {report: {takes: 40m, acks: late, time_limit: 20m}, early: {takes: 40m}}
workers: {w1: {queues: jobs, prefetch: 1}}
""",
    ),
    "late-acks-needed": (
        WARNING, "{queues: {jobs: }, tasks: {report: {on_worker_lost: requeue}}, workers: {w1: {queues: jobs, prefetch: 1}}}",
        "{queues: {jobs: }, tasks: {report: {on_worker_lost: requeue, acks: late}}, workers: {w1: {queues: jobs, prefetch: 1}}}",
    ),
    "alternate-missing": (
        ERROR, """
exchanges: {shop: {type: topic, arguments: {alternate-exchange: unrouted}}, unroutd: fanout}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: order.*}, {source: unroutd, destination: r}]
""", """
exchanges: {shop: {type: topic, arguments: {alternate-exchange: unrouted}}, unrouted: fanout}
queues: {q: , r: }
bindings: [{source: shop, destination: q, routing_key: order.*}, {source: unrouted, destination: r}]
""",
    ),
    "delivery-limit-drops": (
        WARNING, "{rabbitmq: '4.0', queues: {jobs: {type: quorum}}}",
        f"{{rabbitmq: '4.0', queues: {{jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: failed}}}}, failed: {{type: quorum}}}}}}",
    ),
    "no-delivery-limit": (
        NOTE, "{rabbitmq: '3.13', queues: {jobs: {type: quorum}}}",
        f"{{rabbitmq: '3.13', queues: {{jobs: {{type: quorum, arguments: {{x-delivery-limit: 5, {DLX}: '', x-dead-letter-routing-key: failed}}}}, failed: }}}}",
    ),
    "stream-keeps-all": (
        WARNING, "queues: {log: {type: stream}}", "queues: {log: {type: stream, arguments: {x-max-age: 7D}}}",
    ),
    "unbounded": (
        NOTE, "queues: {jobs: }", "queues: {jobs: {arguments: {x-max-length: 1000, x-overflow: reject-publish}}}",
    ),
    "retry-copies": (
        WARNING, RETRY_COPIES, RETRY_COPIES.replace("{x-message-ttl: 1000, x-dead-letter-exchange: shop, x-dead-letter-routing-key: order.created}",
                                                    "{x-message-ttl: 1000, x-dead-letter-exchange: '', x-dead-letter-routing-key: billing}"),
    ),
    "policy-matches-nothing": (
        WARNING, "{queues: {orders: }, policies: [{name: cap, pattern: ^order$, definition: {max-length: 5, overflow: reject-publish}}]}",
        "{queues: {orders: }, policies: [{name: cap, pattern: ^orders$, definition: {max-length: 5, overflow: reject-publish}}]}",
    ),
    "policy-without-effect": (
        WARNING, "{queues: {jobs: }, policies: [{name: p, pattern: .*, apply-to: queues, definition: {alternate-exchange: a, expires: 5000}}]}",
        f"{{queues: {{jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: f}}}}, f: }}, policies: [{{name: p, pattern: jobs, definition: {{delivery-limit: 5}}}}]}}",
    ),
    "setting-ignored": (
        NOTE, "{rabbitmq: '3.13', queues: {jobs: {arguments: {x-queue-mode: lazy}}}}",
        "{rabbitmq: '3.11', queues: {jobs: {arguments: {x-queue-mode: lazy}}}}",
    ),
    "priorities-expire-late": (
        NOTE, f"queues: {{jobs: {{arguments: {{x-max-priority: 5, x-message-ttl: 5000, {DLX}: '', x-dead-letter-routing-key: late}}}}, late: }}",
        f"queues: {{jobs: {{arguments: {{x-message-ttl: 5000, {DLX}: '', x-dead-letter-routing-key: late}}}}, late: }}",
    ),
    "names-alike": (
        WARNING, "queues: {orders: , Orders: }", "queues: {orders: , orders-2: }",
    ),
    "prefetch-ignored": (
        NOTE, "{queues: {jobs: }, consumers: {a: {queue: jobs, auto_ack: true, prefetch: 5}}}",
        "{queues: {jobs: }, consumers: {a: {queue: jobs, prefetch: 5}}}",
    ),
    "confirms-needed": (
        WARNING, CONFIRMS, CONFIRMS.replace("false", "true"),
    ),
}  # fmt: skip
