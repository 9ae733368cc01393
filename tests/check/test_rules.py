"""Every rule finds its fault, with a witness that runs where it is an error, and is silent once the fault is mended."""

import contextlib
import json
import os
import statistics
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.broker.state import State
from routesim.celery import delays
from routesim.check import RULES, check_file
from routesim.check.loops.circles import MAX_HOPS
from routesim.diagnostics import ERROR, NOTE, WARNING, Diagnostic, Invalid
from routesim.explain.futures import dead_letter_target
from routesim.explain.keys.key_sets import Keys
from routesim.explain.keys.reach import reach
from routesim.explain.keys.remainders import MAX_TOGETHER, Remainders
from routesim.explain.pages.codes import explain_error
from routesim.explain.pages.published import how_often
from routesim.explain.pages.rules import RULE_PAGES
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.definitions.exporting import definitions_of
from routesim.scenario.yaml.source import Source

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


def found(tmp_path: Path, text: str, **options: str | list[str]) -> dict[str, Diagnostic]:
    path = tmp_path / "topology.yaml"
    path.write_text(text, encoding="utf-8")
    return {finding.code: finding for finding in check_file(str(path), **options)}  # type: ignore[arg-type]


def runs(finding: Diagnostic) -> bool:
    assert finding.witness is not None
    result = Runner(load_source(Source("witness", finding.witness.scenario), ""), max_events=200_000).run()
    return result.ok


WORKERS = """
exchanges: {celeryev: topic, replies: direct, shop: topic}
queues: {q: , r: , inbox: , parked: }
bindings: [{source: shop, destination: q, routing_key: '#'}]
tasks: {t: {runs: [{run: 1, publish: {routing_key: r}}]}}
workers:
  w1: {queues: [q, own], prefetch: 4, events: celeryev, replies: replies, control: inbox, declares: {queues: {own: }}}
  w2: {queues: [q, r, parked], prefetch: PREFETCH}
"""


def test_workers_are_known_with_what_they_declare_publish_and_listen_to(tmp_path: Path) -> None:
    assert found(tmp_path, WORKERS.replace("PREFETCH", "4")) == {}


def test_a_worker_without_a_limit_is_found_where_it_stands(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, WORKERS.replace("PREFETCH", "0")).values()
    assert finding.code == "prefetch-unlimited"
    assert finding.place is not None
    assert finding.place.line == 8


def test_every_rule_has_a_case_and_a_page() -> None:
    assert {*CASES, "version-refuses"} == RULES.keys()
    for code in RULES:
        assert explain_error(code).data["code"] == code


@pytest.mark.parametrize("code", CASES)
def test_the_fault_is_found_and_the_mended_file_is_silent(code: str, tmp_path: Path) -> None:
    severity, faulty, mended = CASES[code]
    findings = found(tmp_path, faulty, asked=[code])
    assert code in findings, findings.keys()
    finding = findings[code]
    assert finding.severity == severity
    place = finding.place
    assert place is not None
    assert finding.source.strip(), "it points at a line that there is"
    if severity == ERROR:
        assert finding.witness is not None
    if finding.witness is not None:
        assert runs(finding)
    assert code not in found(tmp_path, mended, asked=[code])
    assert (code in found(tmp_path, faulty)) is not RULES[code].asked


@pytest.mark.parametrize("code", CASES)
def test_a_comment_on_the_line_silences_it(code: str, tmp_path: Path) -> None:
    finding = found(tmp_path, CASES[code][1], asked=[code])[code]
    assert finding.place is not None
    lines = (tmp_path / "topology.yaml").read_text(encoding="utf-8").split("\n")
    lines[finding.place.line - 1] += f"  # routesim: ignore[nothing-else, {code}]"
    assert code not in found(tmp_path, "\n".join(lines), asked=[code])
    lines[finding.place.line - 1] = lines[finding.place.line - 1].replace(code, "another-code")
    assert code in found(tmp_path, "\n".join(lines), asked=[code])


@pytest.mark.parametrize("text", [
    f"queues: {{jobs: {{type: quorum, arguments: {{x-delivery-limit: 2, {DLX}: '', x-dead-letter-routing-key: jobs}}}}}}",
    f"{{rabbitmq: '4.1', queues: {{jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: jobs}}}}}}}}",
])  # fmt: skip
def test_a_delivery_limit_that_leads_back_is_cut_at_once(text: str, tmp_path: Path) -> None:
    assert runs(found(tmp_path, text)["cycle-cut"])


def test_one_policy_whose_limit_loses_is_one_finding(tmp_path: Path) -> None:
    """Its place is the policy's; the witness shows it of the first queue. What is worth nothing when it is old is left out."""
    queues = ", ".join(f"work.{number}: " for number in range(30))
    text = f"queues: {{{queues}, price.ticks: }}\npolicies:\n  - {{name: p, pattern: .*, definition: {{message-ttl: 86400000}}}}"
    (finding,) = _all(tmp_path, text)
    assert (finding.code, finding.severity) == ("limit-loses", WARNING)
    assert finding.message.startswith("policy 'p': 30 queues ('work.0', ")
    assert finding.place is not None
    assert finding.place.line == 3
    assert runs(finding)


@pytest.mark.parametrize(
    ("limit", "severity"),
    [
        ("x-message-ttl: 600000", ERROR), ("x-message-ttl: 86400000", NOTE), ("x-message-ttl: 604800000", None),
        ("x-max-length: 10", ERROR), ("x-max-length: 10000", None), ("x-max-length: 10, x-overflow: reject-publish", None),
    ],
)  # fmt: skip
def test_what_is_parked_may_go_when_somebody_had_the_time_to_look(limit: str, severity: str | None, tmp_path: Path) -> None:
    text = f"queues: {{jobs: {{arguments: {{{DLX}: '', x-dead-letter-routing-key: late}}}}, late: {{arguments: {{{limit}}}}}}}"
    finding = found(tmp_path, text).get("parking-loses")
    assert (finding and finding.severity) == severity


def test_a_silenced_item_is_left_out_of_what_is_told_together(tmp_path: Path) -> None:
    text = "queues:\n  q:\nexchanges:\n  a: topic\n  b: topic  # routesim: ignore[exchange-drops-all]\n  c: topic\n"
    (finding,) = _all(tmp_path, text)
    assert finding.message.startswith("2 exchanges ('a', 'c') have no binding")


def test_a_file_of_exchanges_alone_waits_for_queues(tmp_path: Path) -> None:
    (finding,) = _all(tmp_path, "exchanges: {a: topic, b: fanout}")
    assert (finding.code, finding.severity, finding.witness) == ("exchange-drops-all", NOTE, None)


def test_a_grave_to_which_nothing_is_bound_is_no_note(tmp_path: Path) -> None:
    text = "{exchanges: {shop: fanout}, queues: {q: , NAME: }, bindings: [{source: shop, destination: q}]}"
    severities = {
        name: found(tmp_path, text.replace("NAME", name))["queue-unreachable"].severity for name in ("jobs.dlq", "mail")
    }
    assert severities == {"jobs.dlq": WARNING, "mail": NOTE}


SOUND = """
rabbitmq: "4.3"
exchanges: {orders: topic, orders.dlx: topic}
queues:
  billing: {type: quorum, arguments: {x-dead-letter-exchange: orders.dlx, x-delivery-limit: 5}}
  shipping: {type: quorum, arguments: {x-dead-letter-exchange: orders.dlx, x-delivery-limit: 5}}
  orders.dlq: {type: quorum}
bindings:
  - {source: orders, destination: billing, routing_key: order.created}
  - {source: orders, destination: shipping, routing_key: order.paid}
  - {source: orders.dlx, destination: orders.dlq, routing_key: "#"}
"""


@pytest.mark.parametrize("version", ["3.13", "4.0", "4.3"])
def test_two_work_queues_with_dead_letters_and_limits_are_sound(version: str, tmp_path: Path) -> None:
    assert found(tmp_path, SOUND.replace("4.3", version)) == {}


def test_one_policy_is_one_mistake_however_many_queues_it_harms(tmp_path: Path) -> None:
    queues = ", ".join(f"q{number}: " for number in range(40))
    text = f"{{queues: {{{queues}}}, policies: [{{name: p, pattern: .*, definition: {{dead-letter-exchange: gone}}}}]}}"
    path = tmp_path / "many.yaml"
    path.write_text(text)
    findings = [finding for finding in check_file(str(path)) if finding.code == "dead-letter-nowhere"]
    assert len(findings) == 1
    assert "40 queues" in findings[0].message
    assert runs(findings[0])


def test_several_layers_of_exchanges_are_seen_through(tmp_path: Path) -> None:
    """The key that the first binding lets in is one that the dead-letter exchange's second hop does not know."""
    text = f"""
exchanges: {{in: topic, mid: topic, dlx: topic, dlx2: direct}}
queues: {{jobs: {{arguments: {{{DLX}: dlx}}}}, parked: }}
bindings:
  - {{source: in, destination: mid, destination_type: exchange, routing_key: "eu.#"}}
  - {{source: mid, destination: jobs, routing_key: "*.order"}}
  - {{source: dlx, destination: dlx2, destination_type: exchange, routing_key: "#.order"}}
  - {{source: dlx2, destination: parked, routing_key: us.order}}
"""
    finding = found(tmp_path, text)["dead-letter-nowhere"]
    assert "eu.order" in finding.message
    assert runs(finding)
    assert "dead-letter-nowhere" not in found(tmp_path, text.replace("us.order", "eu.order"))


@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("waits", ["classic", "quorum"])
def test_a_retry_loop_uses_up_a_delivery_limit(waits: str, limit: int, tmp_path: Path) -> None:
    text = RETRY_LOOP.replace("wait: {", f"wait: {{type: {waits}, ").replace(
        f'{DLX}: "", x-dead-letter-routing-key: wait', f'x-delivery-limit: {limit}, {DLX}: "", x-dead-letter-routing-key: wait'
    )
    finding = found(tmp_path, text)["retry-uses-limit"]
    assert runs(finding)
    assert f"limit of {limit};" in finding.message


def test_a_loop_that_the_consumer_ends_or_that_has_no_limit_uses_none_up(tmp_path: Path) -> None:
    parks = 'consumers: {w: {queue: jobs, on_message: [{attempt: ">= 3", do: ack}, {do: reject}]}}'
    assert "retry-uses-limit" not in found(tmp_path, RETRY_LOOP + parks)
    assert "retry-uses-limit" not in found(
        tmp_path,
        RETRY_LOOP.replace(
            f'{{{DLX}: "", x-dead-letter-routing-key: wait', f'{{x-delivery-limit: -1, {DLX}: "", x-dead-letter-routing-key: wait'
        ),
    )


BACK = """
rabbitmq: "VERSION"
queues: {jobs: {type: KIND, arguments: {MORE}}}
consumers: {worker: {queue: jobs, on_message: DO}}
"""
RETRIED = "x-delivery-limit: 5, x-delayed-retry-type: all, x-delayed-retry-min: 1000"
# (version, kind, arguments, what the consumer does) -> whether it goes on for ever
FOR_EVER = {
    ("3.10", "classic", "", "crash"): True,
    ("4.3", "classic", "", "crash"): True,
    ("4.3", "classic", "", "[{do: crash, restart: 5s}]"): True,
    ("3.13", "quorum", "", "crash"): True,
    ("3.13", "quorum", "x-delivery-limit: 5", "crash"): False,
    ("4.0", "quorum", "", "crash"): False,
    ("4.0", "quorum", "x-delivery-limit: -1", "crash"): True,
    ("4.3", "quorum", "", "crash"): False,
    ("4.3", "quorum", RETRIED, "crash"): False,
    ("4.3", "quorum", f"{RETRIED}, x-delivery-limit: -1".replace("x-delivery-limit: 5, ", ""), "crash"): True,
    ("4.0", "quorum", "", "requeue"): False,
    ("4.3", "quorum", "", "requeue"): True,
    ("4.3", "quorum", RETRIED, "requeue"): True,
    ("4.3", "classic", "", "[{redelivered: false, do: crash, restart: 1s}]"): False,
}


@pytest.mark.parametrize(("version", "kind", "more", "do"), FOR_EVER)
def test_what_a_consumer_gives_back_or_dies_of_comes_again_where_that_is_not_counted(
    version: str, kind: str, more: str, do: str, tmp_path: Path
) -> None:
    text = BACK.replace("VERSION", version).replace("KIND", kind).replace("MORE", more).replace("DO", do)
    finding = found(tmp_path, text).get("requeue-endless")
    assert (finding is not None) is FOR_EVER[version, kind, more, do]
    if finding is not None:
        assert runs(finding)
        assert ("delivery limit of 5" in finding.message) is ("limit: 5" in more)


@pytest.mark.parametrize("version", ["3.10", "4.3"])
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_queue_that_expires_loses_what_is_in_it_also_where_it_has_a_dead_letter_exchange(
    kind: str, version: str, tmp_path: Path
) -> None:
    """By a policy for many queues it is one finding; with a shorter time to live it takes a late publish."""
    text = f"""
rabbitmq: "{version}"
queues:
  a: {{type: {kind}, arguments: {{TTL{DLX}: '', x-dead-letter-routing-key: parked}}}}
  b: {{type: {kind}, arguments: {{TTL{DLX}: '', x-dead-letter-routing-key: parked}}}}
  parked:
policies: [{{name: gone, pattern: ^.$, definition: {{expires: 120000}}}}]
"""
    finding = found(tmp_path, text.replace("TTL", ""))["queue-expires"]
    assert finding.severity == WARNING
    assert finding.message.startswith("policy 'gone': 2 queues")
    assert runs(finding)
    waiting = found(tmp_path, text.replace("TTL", "x-message-ttl: 60000, "))["queue-expires"]
    assert waiting.severity == NOTE
    assert runs(waiting)


CURES = {
    "declare 'rest'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}}, queues: {q: }, "
                      "bindings: [{source: shop, destination: q, routing_key: a.*}]}",
    "bind a queue to 'rest'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}, rest: direct}, queues: {q: , r: }, "
                              "bindings: [{source: shop, destination: q, routing_key: a.*}, {source: rest, destination: r, routing_key: b}]}",
    "bind a queue to 'inner'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}, rest: fanout, inner: direct}, "
                               "queues: {q: , r: }, bindings: [{source: shop, destination: inner, destination_type: exchange, routing_key: "
                               "'#'}, {source: inner, destination: q, routing_key: a}, {source: rest, destination: r}]}",
    "an alternate-exchange": "{exchanges: {shop: topic}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: a.*}]}",
}  # fmt: skip


@pytest.mark.parametrize("cure", CURES)
def test_what_helps_against_lost_keys_is_not_there_already(cure: str, tmp_path: Path) -> None:
    finding = found(tmp_path, CURES[cure], asked=["exchange-drops-some"])["exchange-drops-some"]
    assert finding.cure.startswith(cure)
    assert finding.cure.endswith("`mandatory` tells the publisher")
    steps = "{steps: [{publish: {exchange: shop, routing_key: a.b, mandatory: true}}], "
    told = found(tmp_path, steps + CURES[cure][1:], asked=["exchange-drops-some"])["exchange-drops-some"]
    assert "mandatory" not in told.cure


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (f"{DLX}: dlx", "bind a parking queue to 'dlx'"),
        (f"{DLX}: ''", "declare a queue of the name other, or set x-dead-letter-routing-key"),
        (
            f"{DLX}: '', x-dead-letter-routing-key: gone",
            "declare a queue of the name gone, or set another x-dead-letter-routing-key",
        ),
    ],
)
def test_what_helps_against_lost_dead_letters_is_not_there_already(arguments: str, cure: str, tmp_path: Path) -> None:
    text = f"{{exchanges: {{shop: fanout, dlx: direct}}, queues: {{q: {{arguments: {{{arguments}}}}}}}, bindings: [{{source: shop, destination: q}}]}}"
    assert found(tmp_path, text)["dead-letter-nowhere"].cure == cure


@pytest.mark.parametrize("target", ["classic", "quorum"])
def test_dead_letters_behind_a_full_queue_are_kept_back(target: str, tmp_path: Path) -> None:
    text = f"""
queues:
  jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: parked, {AT_LEAST_ONCE}}}}}
  parked: {{type: {target}, arguments: {{x-max-length: 3, x-overflow: reject-publish}}}}
"""
    finding = found(tmp_path, text)["dead-letter-kept"]
    assert finding.severity == NOTE
    assert runs(finding)
    assert "dead-letter-kept" not in found(tmp_path, text.replace("reject-publish}}\n", "drop-head}}\n"))


DELAYED_CALL = """
celery:
  apps:
    shop:
      task_default_queue: orders
      task_queues: {orders: {exchange: orders, exchange_type: topic, routing_key: orders, queue_arguments: {x-queue-type: quorum}}}
  tasks: {pay: {runs: [{takes: 1s}]}}
  workers: {w1: }
steps: [{publish: {exchange: celery_delayed_27, routing_key: KEY}}]
"""


def test_delayed_tasks_with_a_key_that_no_queue_is_bound_for_are_kept_back(tmp_path: Path) -> None:
    """Celery's levels dead-letter at least once: such a task waits in the last one for ever."""
    assert runs(found(tmp_path, DELAYED_CALL.replace("KEY", delays.delayed_key(3, "nobody")))["dead-letter-kept"])
    assert "dead-letter-kept" not in found(tmp_path, DELAYED_CALL.replace("KEY", delays.delayed_key(3, "orders")))


def test_under_another_version(tmp_path: Path) -> None:
    text = "{rabbitmq: '3.13', queues: {q: }, policies: [{name: ha, pattern: .*, definition: {ha-mode: all}}]}"
    finding = found(tmp_path, text, rabbitmq="4.1")["version-refuses"]
    assert finding.severity == ERROR
    assert runs(finding)
    assert "version-refuses" not in found(tmp_path, text)
    assert found(tmp_path, text)["version-will-refuse"].severity == WARNING


def test_what_a_step_binds_is_bound(tmp_path: Path) -> None:
    text = """
exchanges: {shop: fanout}
queues: {q: }
steps: [{bind: {source: shop, destination: q}}, {publish: {exchange: shop}}]
"""
    assert "exchange-drops-all" not in found(tmp_path, text)


def test_nothing_is_found_in_a_healthy_file(tmp_path: Path) -> None:
    text = f"""
exchanges: {{orders: {{type: topic, arguments: {{alternate-exchange: rest}}}}, rest: fanout, dlx: topic}}
queues: {{jobs: {{arguments: {{{DLX}: dlx, x-message-ttl: 60000}}}}, parked: , unrouted: }}
bindings:
  - {{source: orders, destination: jobs, routing_key: "order.#"}}
  - {{source: rest, destination: unrouted}}
  - {{source: dlx, destination: parked, routing_key: "#"}}
consumers: {{worker: {{queue: jobs, prefetch: 10}}}}
"""
    assert found(tmp_path, text) == {}


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=20).filter(
        lambda name: not name.startswith("amq.")
    )
)
@settings(max_examples=60, deadline=None)
def test_names_of_any_kind_have_witnesses_that_run(name: str) -> None:
    data = {
        "vhosts": [{"name": "/"}],
        "exchanges": [
            {
                "name": name,
                "vhost": "/",
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
        ],
        "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {DLX: "gone"}}],
        "bindings": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definitions.json"
        path.write_text(json.dumps(data))
        findings = {finding.code: finding for finding in check_file(str(path))}
    for code in ("exchange-drops-all", "dead-letter-nowhere"):
        assert runs(findings[code])


# Nothing is lost without a finding -------------------------------------------------------------------------------------

PATTERN = st.lists(st.sampled_from(("a", "b", "*", "#")), min_size=1, max_size=2).map(".".join)
KEYS = ["a", "b", "c", "a.a", "a.b", "b.a", "b.b", "a.c", "c.b", "c.c", "a.b.c", "c.b.a"]


@given(
    st.lists(st.tuples(st.sampled_from(("in", "dlx")), st.sampled_from(("jobs", "mail", "parked")), PATTERN), max_size=5),
    st.sampled_from(("topic", "direct", "fanout")),
    st.dictionaries(st.sampled_from(("jobs", "mail")), st.sampled_from(("dlx", "dlx", "", "gone")), min_size=1),
    st.sampled_from((None, "a", "parked", "x.y")),
)
@settings(max_examples=120, deadline=None)
def test_no_rejected_message_is_lost_without_a_finding(
    bindings: list[tuple[str, str, str]], kind: str, graves: dict[str, str], key: str | None
) -> None:
    """Every key is published and rejected; whatever the broker drops from a queue that dead-letters was foretold."""
    extra = {} if key is None else {"x-dead-letter-routing-key": key}
    queues = {name: {"arguments": {DLX: graves[name], **extra}} if name in graves else {} for name in ("jobs", "mail", "parked")}
    data = {
        "exchanges": {"in": "topic", "dlx": kind},
        "queues": queues,
        "bindings": [{"source": source, "destination": to, "routing_key": pattern} for source, to, pattern in bindings],
    }
    steps = [{"publish": {"exchange": "in", "routing_key": each, "id": each}} for each in KEYS]
    for name in graves:
        steps += [{"get": {"queue": name, "channel": "reader"}} for _ in KEYS]
        steps.append({"nack": {"channel": "reader", "delivery_tag": 0, "multiple": True, "requeue": False}})  # type: ignore[dict-item]
    lost: set[str] = set()

    def hear(event: object) -> None:
        if type(event).__name__ == "Dropped":
            lost.add(event.queue)  # type: ignore[attr-defined]

    Runner(load_source(Source("fuzz", json.dumps({**data, "steps": steps})), ""), hear).run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topology.yaml"
        path.write_text(json.dumps({**data, "name": "fuzz"}))
        findings = check_file(str(path))
    told = " ".join(finding.message for finding in findings if finding.code == "dead-letter-nowhere")
    for name in lost:
        assert f"'{name}'" in told, (name, told)


@pytest.mark.parametrize(
    ("users", "codes"),
    [
        ([{"name": "app", "password": "very secret", "tags": []}], ["password-in-clear"]),
        ([{"name": "app", "password_hash": "${HASH}", "tags": []}], []),
        ([], ["no-users"]),
    ],
)
def test_who_may_get_in(users: list[dict[str, object]], codes: list[str], tmp_path: Path) -> None:
    """And what nobody is to read is not shown, though the whole file is one line."""
    path = tmp_path / "definitions.json"
    queue = {"vhost": "/", "name": "q", "durable": True, "auto_delete": False, "arguments": {}}
    path.write_text(json.dumps({"users": users, "vhosts": [{"name": "/"}], "queues": [queue]}))
    found = check_file(str(path))
    assert [item.code for item in found] == codes
    assert "very secret" not in repr(found)


def test_federation_with_nobody_and_plugins_that_an_import_needs(tmp_path: Path) -> None:
    policy = {"vhost": "/", "name": "fed", "pattern": ".", "apply-to": "queues", "priority": 0}
    data: dict[str, object] = {
        "users": [{"name": "app", "password_hash": "x"}], "vhosts": [{"name": "/"}],
        "queues": [{"vhost": "/", "name": "q", "durable": True, "auto_delete": False, "arguments": {}}],
        "policies": [{**policy, "definition": {"federation-upstream": "europe"}}],
    }  # fmt: skip
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(data))
    codes = [item.code for item in check_file(str(path))]
    assert {"upstream-missing", "plugin-needed"} <= set(codes)
    upstream = {"vhost": "/", "component": "federation-upstream", "name": "europe", "value": {"uri": "amqp://"}}
    path.write_text(json.dumps({**data, "parameters": [upstream]}))
    codes = [item.code for item in check_file(str(path))]
    assert "upstream-missing" not in codes
    assert codes.count("plugin-needed") == 1


def test_a_definitions_file_of_two_sound_work_queues_has_no_finding(tmp_path: Path) -> None:
    document, _ = definitions_of(load_source(Source("sound", SOUND), ""))
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(document))
    assert check_file(str(path)) == []


# Definitions files that other people have published --------------------------------------------------------------------

FOLDER = os.environ.get("ROUTESIM_DEFINITIONS")
needs_folder = pytest.mark.skipif(not FOLDER, reason="ROUTESIM_DEFINITIONS names no folder of definitions files")


def of(name: str) -> list[Diagnostic]:
    return check_file(str(Path(FOLDER or "") / name))


@needs_folder
def test_a_policy_that_sends_every_dead_letter_nowhere_and_hides_another() -> None:
    findings = {finding.code: finding for finding in of("NakaSato__gridtokenx-coresystem.json")}
    assert findings["dead-letter-nowhere"].severity == ERROR
    assert "6 queues" in findings["dead-letter-nowhere"].message
    assert runs(findings["dead-letter-nowhere"])
    assert "'ha-all' never applies" in findings["policy-hidden"].message
    assert "4.0" in findings["version-will-refuse"].message


@needs_folder
def test_a_wildcard_on_a_direct_exchange() -> None:
    finding = next(item for item in of("CezikLikeWhat__New-living-api.json") if item.code == "wildcard-on-direct")
    assert finding.severity == ERROR
    assert runs(finding)


@needs_folder
def test_ten_queues_that_drop_what_is_late_or_too_much() -> None:
    findings = of("Edgame2__masterTrade.json")
    losses = [item for item in findings if item.code == "limit-loses"]
    assert losses
    assert all(runs(item) for item in losses)
    assert "same-binding" not in {item.code for item in findings}


@needs_folder
@pytest.mark.parametrize("name", ["IQKV__microservices-platform.json", "Nauflars__myshop.json"])
def test_healthy_files_get_notes_at_most(name: str) -> None:
    assert {item.severity for item in of(name) if item.code != "known-bug"} <= {NOTE}


@needs_folder
def test_of_most_files_little_is_said() -> None:
    """Two findings a file in the middle, and no file stops it but such as no broker imports."""
    counts = []
    for path in sorted(Path(FOLDER or "").rglob("*.json")):
        with contextlib.suppress(Invalid):
            counts.append(len(check_file(str(path))))
    assert counts
    assert statistics.median(counts) <= 2


@needs_folder
def test_a_file_that_is_no_json() -> None:
    with pytest.raises(Invalid):
        of("2327__dc_rabbitmq_federation.json")


def test_what_exchanges_reach_is_found_out_once_for_all_queues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(broker: State, exchange: str) -> dict[str, Keys]:
        calls.append(exchange)
        return reach(broker, exchange)

    monkeypatch.setattr("routesim.check.binding_rules.reach", counted)
    queues = "".join(f"  q{number}:\n" for number in range(50))
    bindings = "".join(f"  - {{source: inner, destination: q{number}, routing_key: a.{number}}}\n" for number in range(50))
    text = f"exchanges: {{inner: {{type: topic, internal: true}}, open: topic}}\nqueues:\n{queues}bindings:\n{bindings}"
    path = tmp_path / "many.yaml"
    path.write_text(text + "  - {source: open, destination: q0, routing_key: a}\n")
    unreachable = [item for item in check_file(str(path)) if item.code == "queue-unreachable"]
    assert [item.message.split(" (")[0] for item in unreachable] == ["no key reaches 49 queues"]
    assert calls == ["open"]


def test_what_a_consumer_publishes_straight_to_a_queue_reaches_it(tmp_path: Path) -> None:
    text = """
exchanges: {shop: fanout}
queues: {jobs: , failed: , idle: }
bindings: [{source: shop, destination: jobs}]
consumers: {worker: {queue: jobs, on_message: [{attempt: 1, publish: {routing_key: failed}, do: ack}]}}
"""
    path = tmp_path / "replies.yaml"
    path.write_text(text)
    messages = [item.message for item in check_file(str(path)) if item.code == "queue-unreachable"]
    assert len(messages) == 1
    assert "'idle'" in messages[0]


# What is large ---------------------------------------------------------------------------------------------------------


def ladder(kind: str, levels: int = 28) -> dict[str, object]:
    """Celery's native delayed delivery, with queues of this type."""
    found = delays.levels(kind)
    bindings = [*found.bindings[-2 * levels :], *delays.bindings_of("orders", "orders", "orders")]
    queues = {item.name: {"arguments": dict(item.arguments)} for item in found.queues[-levels:]}
    return {
        "rabbitmq": "3.10",
        "exchanges": {**{item.name: "topic" for item in found.exchanges[-levels - 1 :]}, "orders": "topic"},
        "queues": {**queues, "orders": {}},
        "bindings": [item._asdict() for item in bindings],
    }


@pytest.mark.parametrize("kind", ["quorum", "classic"])
def test_delayed_delivery_is_checked_to_its_end_and_sound(kind: str, tmp_path: Path) -> None:
    findings = found(tmp_path, json.dumps(ladder(kind)))
    assert findings.keys() <= {"binding-adds-nothing"}


def test_a_rung_that_is_missing_is_found(tmp_path: Path) -> None:
    data = ladder("classic")
    data["bindings"] = [item for item in data["bindings"] if item["routing_key"] != "*.*.*.*.*.*.*.*.1.#"]  # type: ignore[attr-defined]
    findings = [item for item in _all(tmp_path, json.dumps(data)) if item.code == "dead-letter-nowhere"]
    lost = next(item for item in findings if "'celery_delayed_19', which leads nowhere" in item.message)
    assert runs(lost)


def test_delayed_delivery_costs_steps_by_its_height(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as high may cost 2^5 times as much, not 2^14 times; and all of it is less than one rule may spend."""
    totals = []
    for levels in (14, 28):
        made: list[Remainders] = []

        class Counted(Remainders):
            def __init__(self, made: list[Remainders] = made) -> None:
                super().__init__()
                made.append(self)

        monkeypatch.setattr("routesim.check.Remainders", Counted)
        for module in ("checked_topology", "publish_paths"):
            monkeypatch.setattr(f"routesim.check.topology.{module}.Remainders", Counted)
        found(tmp_path, json.dumps(ladder("classic", levels)))
        totals.append(sum(MAX_TOGETHER - item.left_together for item in made))
    assert 0 < totals[1] < 2**5 * totals[0]
    assert totals[1] < MAX_TOGETHER


def test_what_is_given_up_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CASES["dead-letter-nowhere"][1]
    monkeypatch.setattr("routesim.explain.keys.remainders.MAX_STEPS", 5)
    finding = found(tmp_path, text)["dead-letter-nowhere"]
    assert finding.severity == NOTE
    assert finding.message.startswith("not checked to the end for dead letters of queue 'jobs'")
    text = CASES["wildcard-on-direct"][1]
    assert "for exchange 'shop'" in found(tmp_path, text)["wildcard-on-direct"].message


def test_queues_that_all_lead_to_each_other_are_followed_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*args: object) -> object:
        calls.append(args)
        return dead_letter_target(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("routesim.check.loops.circles.dead_letter_target", counted)
    queues = {f"q{number}": {"arguments": {"x-message-ttl": 1000, DLX: "x"}} for number in range(12)}
    bindings = [{"source": "x", "destination": name} for name in queues]
    findings = found(tmp_path, json.dumps({"exchanges": {"x": "fanout"}, "queues": queues, "bindings": bindings}))
    assert "not checked to the end for dead letters of queues 'q0'" in findings["cycle-cut"].message
    assert len(calls) <= 12 * (2 * MAX_HOPS + 1)


# Celery's own exchanges and tasks --------------------------------------------------------------------------------------


def test_exchanges_that_wait_for_somebody_who_asks_drop_rightly(tmp_path: Path) -> None:
    names = "celery.pidbox: {type: fanout, durable: false}, reply.celery.pidbox: direct, celeryev: topic, reply.pidbox: direct"
    (finding,) = _all(tmp_path, f"{{exchanges: {{{names}}}, queues: {{q: }}}}")
    assert finding.message.startswith("2 exchanges ('celery.pidbox', 'reply.pidbox') have no binding")


def _all(tmp_path: Path, text: str) -> list[Diagnostic]:
    path = tmp_path / "all.yaml"
    path.write_text(text, encoding="utf-8")
    return check_file(str(path))


@pytest.mark.parametrize(("version", "kind"), [("3.10", "classic"), ("4.3", "quorum")])
def test_a_celery_task_longer_than_the_timeout_of_its_broker(version: str, kind: str, tmp_path: Path) -> None:
    text = f"""
rabbitmq: "{version}"
broker: {{consumer_timeout: 5m}}
celery:
  apps: {{shop: {{task_default_queue_type: {kind}}}}}
  tasks:
    mail: {{reject_on_worker_lost: true}}
    report: {{acks_late: true, takes: TAKES}}
  workers: {{w1: }}
"""
    findings = found(tmp_path, text.replace("TAKES", "10m"))
    assert runs(findings["task-outlives-timeout"])
    assert findings["task-outlives-timeout"].source.strip().startswith("report:")
    assert findings["late-acks-needed"].source.strip().startswith("mail:")
    assert "task-outlives-timeout" not in found(tmp_path, text.replace("TAKES", "4m"))


@pytest.mark.parametrize("code", RULES)
def test_the_page_of_each_rule_says_how_often_it_is_found_and_when_to_ignore_it(code: str) -> None:
    page = RULE_PAGES[code]
    assert page.means
    assert page.cure
    assert page.ignore
    assert page.ignore.endswith(".")
    assert how_often(code)
    shown = {row[0].text: row[1].text for row in explain_error(code).sections[0].rows}
    assert shown["ignore it"] == page.ignore
    assert shown["found"] == how_often(code)


def definitions(**more: object) -> dict[str, object]:
    listed = {"users": [], "vhosts": [{"name": "/"}], "exchanges": [], "queues": [], "bindings": [], **more}
    for kind in ("exchanges", "queues"):
        items: list[dict[str, object]] = listed[kind]  # type: ignore[assignment]
        for item in items:
            kindly = {"type": "direct", "internal": False} if kind == "exchanges" else {}
            item.update({"vhost": "/", "durable": True, "auto_delete": False, "arguments": {}, **kindly, **item})
    return listed


def codes_of(tmp_path: Path, data: dict[str, object]) -> list[str]:
    path = tmp_path / "d.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return [item.code for item in check_file(str(path))]


BOUND = {"vhost": "/", "source": "x", "destination": "work", "destination_type": "queue", "routing_key": "a", "arguments": {}}
USER = {"name": "app", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": ""}


@pytest.mark.parametrize(("name", "told"), [("work.replies", False), ("rpc-response", False), ("work2", True), ("supply", True)])
def test_queues_for_replies_need_no_binding(tmp_path: Path, name: str, told: bool) -> None:
    data = definitions(users=[USER], exchanges=[{"name": "x"}], queues=[{"name": "work"}, {"name": name}], bindings=[BOUND])
    assert codes_of(tmp_path, data) == ["queue-unreachable"] * told


def test_an_exchange_for_dead_letters_alone_makes_no_topology_of_exchanges(tmp_path: Path) -> None:
    dead = {**BOUND, "destination": "jobs.dead"}
    arguments = {DLX: "x", "x-dead-letter-routing-key": "a"}
    queues = [{"name": "jobs", "arguments": arguments}, {"name": "jobs.dead"}]
    assert codes_of(tmp_path, definitions(users=[USER], exchanges=[{"name": "x"}], queues=queues, bindings=[dead])) == []


@pytest.mark.parametrize(
    ("password", "told"), [("${PASSWORD}", False), ("{{ secret }}", False), ("APP_PASSWORD", False), ("hunter2", True)]
)
def test_a_placeholder_is_no_password(tmp_path: Path, password: str, told: bool) -> None:
    data = definitions(users=[{"name": "app", "password": password, "tags": ""}], queues=[{"name": "jobs"}])
    assert codes_of(tmp_path, data) == ["password-in-clear"] * told


def test_the_user_of_a_permission_who_is_not_there_is_told_once(tmp_path: Path) -> None:
    permission = {"user": "app", "vhost": "/", "configure": "", "write": "", "read": ""}
    assert codes_of(tmp_path, definitions(queues=[{"name": "jobs"}], permissions=[permission])) == ["definitions-access"]
    assert codes_of(tmp_path, definitions(queues=[{"name": "jobs"}], permissions=[{**permission, "user": "guest"}])) == [
        "no-users"
    ]


def test_a_policy_whose_keys_keep_it_from_a_type_of_queue(tmp_path: Path) -> None:
    policy = {
        "vhost": "/",
        "name": "ha",
        "pattern": "^jobs$",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"ha-mode": "all"},
    }
    queue = {"name": "jobs", "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 5, DLX: ""}}
    data = definitions(users=[USER], queues=[queue], policies=[policy], rabbitmq_version="3.13.7")
    (tmp_path / "d.json").write_text(json.dumps(data), encoding="utf-8")
    found = [item.message for item in check_file(str(tmp_path / "d.json")) if item.code == "policy-matches-nothing"]
    assert found == [
        "policy 'ha' applies to nothing that is declared here: its pattern matches 'jobs', but no policy with ha-mode applies to a quorum queue"
    ]
