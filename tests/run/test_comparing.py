"""RabbitMQ and Redis side by side: each class of difference shows where its rule bites, and nothing shows where none does."""

import pytest
from kits.paths import ROOT

from routesim.run.on_redis.differences import CLASSES
from routesim.run.on_redis.tasks_on_both import Comparison, compare
from routesim.scenario import load, load_source
from routesim.scenario.yaml.source import Source

WORKERS = "tasks: {work: {takes: 5s, acks: late}, back: {acks: late, takes: 1s, runs: [{run: 1, ends: requeue}]}}\n"
# A scenario for each class in which its rule bites.
SHOWING = {
    "visibility timeout": WORKERS + """
broker: {kind: redis, visibility_timeout: 2s, restore_every: 1s}
queues: {q: }
workers: {w1: {queues: [q], prefetch: 1}, w2: {queues: [q], prefetch: 1}}
steps: [publish: {routing_key: q, id: t, headers: {task: work}}]
until: 20s
""",
    "no requeue on disconnect": WORKERS + """
queues: {q: }
workers: {w1: {queues: [q]}, w2: {queues: [q], start: false}}
steps: [publish: {routing_key: q, id: t, headers: {task: work}}, worker: {name: w1, do: kill}, worker: {name: w2, do: start}]
until: 1m
""",
    "inverted priority": """
queues: {q: {arguments: {x-max-priority: 10}}}
consumers: {c: {queue: q, start: false}}
steps: [publish: {routing_key: q, id: a, priority: 1}, publish: {routing_key: q, id: b, priority: 9}, consume: c]
""",
    "tail restore": WORKERS + """
queues: {q: }
workers: {w1: {queues: [q], prefetch: 1}}
steps: [publish: {routing_key: q, id: t, count: 3, headers: {task: back}}]
until: 1m
""",
    "restored in reverse": """
queues: {q: }
consumers: {c: {queue: q, takes: 1h}, d: {queue: q, start: false}}
steps: [publish: {routing_key: q, id: t, count: 3}, close: c, consume: d]
until: 1m
""",
    "fanout without storage": """
exchanges: {news: fanout}
queues: {q: }
bindings: [{source: news, destination: q}]
consumers: {c: {queue: q, start: false}}
steps: [publish: {exchange: news, id: m}, consume: c]
""",
    "fanout to each consumer": """
exchanges: {news: fanout}
queues: {q: }
bindings: [{source: news, destination: q}]
consumers: {c: {queue: q}, d: {queue: q}}
steps: [publish: {exchange: news, id: m}]
""",
    "topic matching": """
exchanges: {t: topic}
queues: {q: }
bindings: [{source: t, destination: q, routing_key: "ship.#"}]
steps: [publish: {exchange: t, routing_key: ship}]
""",
    "no such exchange type": """
exchanges: {h: headers}
queues: {q: }
bindings: [{source: h, destination: q}]
steps: [publish: {exchange: h}]
""",
    "no TTL": "queues: {q: }\nsteps: [publish: {routing_key: q, expiration: '1000'}, wait: 2s]\n",
    "no dead letters": """
queues: {q: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: d}}, d: }
consumers: {c: {queue: q, on_message: [{do: reject}]}}
steps: [publish: {routing_key: q}]
""",
    "no limits": "queues: {q: {arguments: {x-max-length: 1}}}\nsteps: [publish: {routing_key: q, count: 2}]\n",
    "no refusals": """
queues: {q: {durable: true}}
steps: [{declare: {queues: {q: {durable: true, arguments: {x-max-length: 1}}}}, fails: 406}]
""",
    "nobody is told": "steps: [publish: {routing_key: nowhere, mandatory: true}]\n",
    "queues stay": """
queues: {q: {exclusive: true, channel: a}}
steps: [publish: {routing_key: q, channel: a}, crash: a]
""",
    "restart": "rabbitmq: \"3.10\"\nqueues: {q: {durable: false}}\nsteps: [publish: {routing_key: q}, restart: clean]\n",
    "whose turn": """
queues: {other: , q: }
consumers: {c: {queue: q, prefetch: 1}, d: {queue: q, prefetch: 1}, e: {queue: other, channel: c}}
steps: [publish: {routing_key: other}, publish: {routing_key: q, count: 2}]
""",
    "not on Redis": """
queues: {log: {arguments: {x-queue-type: stream}}}
consumers: {c: {queue: log, prefetch: 1}, d: {queue: log, prefetch: 1}}
steps: [publish: {routing_key: log}]
""",
}  # fmt: skip


def compared(text: str) -> Comparison:
    return compare(load_source(Source("s.yaml", "name: s\n" + text), ""))


def test_every_class_is_shown() -> None:
    assert SHOWING.keys() == CLASSES.keys()


@pytest.mark.parametrize("name", SHOWING)
def test_a_class_shows_where_its_rule_bites(name: str) -> None:
    found = compared(SHOWING[name])
    assert name in [item.name for item in found.differences], found.differences
    assert not found.same


SAME = {
    "plain": "queues: {q: }\nconsumers: {c: {queue: q, takes: 1s}}\nsteps: [publish: {routing_key: q, count: 5}]\n",
    "early": """
queues: {q: }
tasks: {work: {takes: 1s}}
workers: {w1: {queues: [q], prefetch: 1}}
steps: [publish: {routing_key: q, id: t, count: 3, headers: {task: work}}]
""",
    "direct": """
exchanges: {d: direct}
queues: {q: }
bindings: [{source: d, destination: q, routing_key: k}]
steps: [publish: {exchange: d, routing_key: k}, publish: {exchange: d, routing_key: other}]
""",
}


def test_what_workers_do_at_one_instant_has_no_order() -> None:
    found = compared("""
celery:
  apps: {shop: {task_queues: {celery: , all: {broadcast: true}}}}
  workers: {w1: , w2: }
  tasks: {reload: {takes: 1s}}
steps: [call: {task: reload, queue: all, id: r}]
""")
    assert found.rabbitmq.tasks["r"].started == (("w1", 0), ("w2", 0))
    assert (found.same, found.differences) == (True, [])


def test_results_that_nobody_fetches_are_left_on_both() -> None:
    found = compared("""
celery: {apps: {shop: {result_backend: "rpc://"}}, workers: {w1: }, tasks: {add: }}
steps: [call: {task: add, id: a}]
""")
    assert found.rabbitmq.left == found.redis.left == {"client.oid": (1, 0)}
    assert found.same


@pytest.mark.parametrize("name", SAME)
def test_nothing_shows_where_no_rule_bites(name: str) -> None:
    found = compared(SAME[name])
    assert (found.same, found.first, found.differences) == (True, None, [])


def test_what_became_of_tasks_on_either_side() -> None:
    found = compare(load(str(ROOT / "scenarios/introduction/redis-notices-late.yaml")))
    assert found.rabbitmq.tasks["work"].started == (("w1", 0), ("w2", 2_000))
    assert found.redis.tasks["work"].started == (("w1", 0), ("w2", 62_000))
    assert found.first is not None
    assert (found.first.at_ms, found.first.redis) == (2_000, [])
    assert "w2 starts work" in found.first.rabbitmq
    assert found.rabbitmq.doubled == found.redis.doubled == ("work",)
    assert found.rabbitmq.unfinished == found.redis.unfinished == ()


def test_work_that_is_lost_with_its_worker_is_told() -> None:
    text = """
queues: {q: }
tasks: {work: {takes: 5s}}
workers: {w1: {queues: [q]}}
steps: [publish: {routing_key: q, id: t, headers: {task: work}}, wait: 1s, worker: {name: w1, do: kill}]
"""
    found = compared(text)
    assert found.rabbitmq.unfinished == found.redis.unfinished == ("t",)


def test_the_visibility_timeout_can_be_asked_for() -> None:
    scenario = load(str(ROOT / "scenarios/introduction/redis-notices-late.yaml"))
    found = compare(scenario, visibility_timeout=20_000)
    assert found.redis.tasks["work"].started[1][1] < 40_000


def test_the_same_thing_in_another_order_is_a_difference_too() -> None:
    found = compared(SHOWING["inverted priority"])
    assert found.first is not None
    assert found.first.in_order
    assert (found.first.rabbitmq, found.first.redis) == (["c gets b", "c gets a"], ["c gets a", "c gets b"])
