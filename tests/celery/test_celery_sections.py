"""The celery section of a scenario: what it stands for, and what is wrong with it, each at its place."""

from typing import Any

import pytest
from kits.celery.scenes import SCENES
from kits.paths import SCENARIO_FILES, SCENARIOS
from kits.scenario import Outcome, only, play, problems_in, refused, routesim, warned

from routesim.scenario.celery.expansion import expand
from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.format.kinds import Reader
from routesim.scenario.load import load_source
from routesim.scenario.steps.alike import PublishLate
from routesim.scenario.yaml.nodes import Mapping
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source

SHIPPED = {
    path.stem: path.read_text(encoding="utf-8") for path in SCENARIO_FILES if "\ncelery:" in path.read_text(encoding="utf-8")
}


def expanded(text: str, version: str | None = None) -> dict[str, Any]:
    """The plain scenario as data."""
    node = parse(Source("scene.yaml", text))
    assert isinstance(node, Mapping)
    data: dict[str, Any] = plain_data(expand(Reader(Source("scene.yaml", text)), node, version).root)
    return data


@pytest.mark.parametrize("name", SCENES)
def test_it_is_so(name: str) -> None:
    outcome = play(SCENES[name])
    assert outcome.status == 0, (outcome.result["expectations"], outcome.result["errors"], outcome.err)


@pytest.mark.parametrize("name", [*SCENES, *SHIPPED])
def test_the_expanded_scenario_runs_to_the_very_same_events(name: str) -> None:
    text = SCENES.get(name) or SHIPPED[name]
    files = {"scene.yaml": text, **{path.name: path.read_bytes() for path in SCENARIOS.glob("*.json")}}
    written = routesim("celery", "expand", "scene.yaml", files=files)
    assert written.status == 0, written.err
    assert "celery:\n  apps" not in written.out
    first = play(text, files={name: content for name, content in files.items() if name != "scene.yaml"})
    again = routesim("run", "-", "--format", "json", files=files, stdin=written.out.encode())
    assert again.status == first.status, again.err
    assert told(again) == told(first)


def told(outcome: Outcome) -> dict[str, Any]:
    """Everything that happened; lines, and as what steps are shown, differ."""
    result = {key: value for key, value in outcome.result.items() if key not in ("file", "errors", "expectations", "coverage")}
    result["expected"] = [item["ok"] for item in outcome.result["expectations"]]
    shown = {"step": ("line", "text")}
    result["events"] = [
        {key: value for key, value in event.items() if key not in shown.get(event["event"], ("line",))}
        for event in outcome.events
    ]
    return result


# What it stands for --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "worker", "wanted"),
    [
        ("", "", {"prefetch": 4, "prefetch_of": "channel", "concurrency": 1}),
        ("worker_concurrency: 3, worker_prefetch_multiplier: 2", "", {"prefetch": 6, "concurrency": 3}),
        ("worker_prefetch_multiplier: 0", "concurrency: 8", {"prefetch": 0, "concurrency": 8}),
        ("worker_eta_task_limit: 3", "restart: 5s", {"eta_limit": 3, "restart": "5s"}),
        ("task_default_queue_type: quorum", "", {"prefetch": 4, "prefetch_of": "consumer", "delays": True}),
        ("task_default_queue_type: quorum, worker_detect_quorum_queues: false", "", {"prefetch_of": "channel"}),
        ("worker_enable_prefetch_count_reduction: false", "start: false", {"reduces_prefetch": False, "start": False}),
        ("worker_cancel_long_running_tasks_on_connection_loss: true", "", {"cancels_on_loss": True}),
        ("worker_send_task_events: true, event_exchange: ev", "heartbeat: true", {"events": "ev", "heartbeat": "2s", "sends_events": None}),
        ("", "", {"events": "celeryev", "sends_events": False, "gossip": "celeryev.w1", "results": None}),
        ("", "gossip: false", {"events": None, "gossip": None}),
        ("worker_enable_remote_control: false", "", {"control": None, "replies": None, "gossip": None, "events": None}),
        ("control_exchange: ctl", "", {"control": "w1.ctl.pidbox", "replies": "reply.ctl.pidbox"}),
        ("result_backend: rpc://", "queues: [b, a]", {"results": True, "queues": ["b", "a"]}),
        ("result_backend: redis://x", "", {"results": None, "queues": ["celery"]}),
    ],
)  # fmt: skip
def test_a_worker_is_what_its_settings_say(settings: str, worker: str, wanted: dict[str, Any]) -> None:
    found = expanded(f"celery: {{apps: {{shop: {{{settings}}}}}, workers: {{w1: {{{worker}}}}}}}", "3.10")["workers"]["w1"]
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(("version", "of"), [("3.10", "channel"), ("3.13", "channel"), ("4.0", "consumer"), ("4.1", "consumer")])
def test_the_limit_is_one_for_the_channel_on_rabbitmq_3_alone(version: str, of: str) -> None:
    text = f'rabbitmq: "{version}"\ncelery: {{apps: {{shop: }}, workers: {{w1: }}}}'
    assert expanded(text)["workers"]["w1"]["prefetch_of"] == of
    other = "3.13" if of == "consumer" else "4.1"
    assert expanded(text, other)["workers"]["w1"]["prefetch_of"] != of


@pytest.mark.parametrize(
    ("settings", "options", "wanted"),
    [
        ("", "takes: 2s", {"takes": "2s"}),
        ("", "ends: exception, autoretry: true", {"ends": "retry"}),
        ("", "default_retry_delay: 60", {"countdown": "1m"}),
        ("", "countdown: 1500ms", {"countdown": "1500ms"}),
        ("", "acks_on_failure: false", {}),
        ("task_acks_late: true", "", {"acks": "late"}),
        ("task_acks_late: true", "acks_late: false", {}),
        ("", "acks_late: true, acks_on_failure: false", {"acks": "late", "on_failure": "reject"}),
        ("task_acks_on_failure_or_timeout: false", "acks_late: true", {"acks": "late", "on_failure": "reject", "on_timeout": "requeue"}),
        ("task_acks_on_failure_or_timeout: false, task_acks_on_timeout: true", "acks_late: true", {"acks": "late", "on_failure": "reject"}),
        ("task_reject_on_worker_lost: true", "acks_late: true", {"acks": "late", "on_worker_lost": "requeue"}),
        ("task_reject_on_worker_lost: true", "acks_late: true, retry_on_worker_lost: true", {"acks": "late", "on_worker_lost": "retry"}),
        ("task_time_limit: 30, task_soft_time_limit: 20.5", "", {"time_limit": "30s", "soft_time_limit": "20500ms"}),
        ("task_time_limit: 30", "time_limit: 5s", {"time_limit": "5s"}),
        ("task_default_rate_limit: 10/m", "", {"rate_limit": "10/m"}),
        ("task_default_rate_limit: 10/m, worker_disable_rate_limits: true", "", {}),
        ("task_ignore_result: true", "", {"ignore_result": True}),
    ],
)  # fmt: skip
def test_a_task_is_what_its_options_and_its_app_say(settings: str, options: str, wanted: dict[str, Any]) -> None:
    found = expanded(f"celery: {{apps: {{shop: {{{settings}}}}}, tasks: {{t: {{{options}}}}}}}")
    assert found["tasks"]["t"] == wanted


def publishes(text: str) -> list[dict[str, Any]]:
    return [step["publish"] for step in expanded(text)["steps"] if "publish" in step]


def test_priority_is_absent_only_where_a_queue_is_all_that_the_call_gives() -> None:
    calls = "steps: [{call: {task: a}}, {call: {task: a, queue: q}}, {call: {task: a, queue: q, priority: 0}}, {call: {task: b}}]"
    found = publishes("celery: {apps: {shop: {task_default_priority: 4}}, tasks: {b: {priority: 7}}}\n" + calls)
    assert [item.get("priority") for item in found] == [4, 4, 0, 7]
    found = publishes("celery: {apps: {shop: }}\n" + calls)
    assert [item.get("priority") for item in found] == [0, None, 0, 0]


def test_times_are_known_when_it_is_expanded() -> None:
    (first, second) = publishes("""
celery: {apps: {shop: }, tasks: {a: {expires: 60}}, starts: "2026-06-01"}
steps:
  - wait: 1m
  - call: {task: a, after: 5s, countdown: 10, expires: 20}
  - wait: 1s
  - call: {task: a, eta: "2026-06-01T00:10:00"}
""")
    assert (first["headers"]["eta"], first["headers"]["expires"]) == ("2026-01-01T00:01:15+00:00", "2026-01-01T00:01:25+00:00")
    assert (first["after"], first["expiration"]) == ("5s", "20000")
    assert (second["headers"]["eta"], second["headers"]["expires"]) == ("2026-01-01T00:10:00+00:00", "2026-01-01T00:02:01+00:00")


@pytest.mark.parametrize(("takes", "state"), [("4999ms", "SUCCESS"), ("5000ms", "SUCCESS"), ("5001ms", "REVOKED")])
def test_a_task_that_begins_at_the_instant_of_its_expires_has_not_expired(takes: str, state: str) -> None:
    """rules/celery#2.2-2: only when it is later than that."""
    outcome = play(f"""
celery: {{apps: {{shop: }}, tasks: {{slow: {{takes: {takes}}}, quick: }}, workers: {{w: {{concurrency: 1}}}}}}
steps: [{{call: {{task: slow, id: s}}}}, {{call: {{task: quick, id: q, expires: 5}}}}]
""")
    assert outcome.result["tasks"]["q"]["state"] == state


def test_a_producer_declares_a_queue_once_and_its_queue_of_results_every_time() -> None:
    found = expanded("""
celery: {apps: {shop: {result_backend: rpc://}}, producers: {web: }, tasks: {a: }}
steps: [{call: {task: a, by: web}}, {call: {task: a, by: web}}, {call: {task: a}}, {call: {task: a, ignore_result: true}}]
""")
    declared = [list(step["declare"]["queues"]) for step in found["steps"] if "declare" in step]
    assert declared == [["celery", "web.oid"], ["web.oid"], ["celery", "client.oid"]]
    assert found["channels"] == {"web": {"confirms": False}, "client": {"confirms": False}}


# What is wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "marked", "words"),
    [
        ("celery: {apps: {shop: {task_route: {}}}}", "unknown-key", "task_route", "task_routes"),
        ("celery: {apps: {shop: {CELERY_TASK_ROUTES: {}}}}", "unknown-key", "CELERY_TASK_ROUTES", "write task_routes"),
        ("celery: {apps: {shop: }, workers: {w1: {app: shpo}}}", "unknown-app", "shpo", "did you mean 'shop'"),
        ("celery: {apps: {a: , b: }, workers: {w1: }}", "which-app", "w1", "a, b"),
        ("celery: {apps: {}, workers: {w1: }}", "which-app", "w1", "there is no app"),
        ("celery: {apps: {a: {task_always_eager: true}}}", "not-simulated", "true", "no messages"),
        ("celery: {apps: {a: }}\nsteps: [{call: {task: t, by: wbe}}]", "unknown-producer", "wbe", "producers:"),
        ("celery: {apps: {a: }}\nsteps: [{flower: stop}]", "no-celery", "flower", "flower:"),
        ("celery: {apps: {a: }, flower: }\nsteps: [{flower: start}]", "wrong-value", "flower", "starts with the scenario"),
        ("celery: {apps: {a: }, flower: }\nsteps: [{flower: stop}, {flower: stop}]", "wrong-value", "flower", "stopped before"),
        ("celery: {apps: {a: , b: }, tasks: {t: {app: [a, c]}}}", "unknown-app", "c", "no app 'c'"),
        ("steps: [{call: {task: t}}]", "no-celery", "call", "celery"),
        ("celery: {apps: {a: }, tasks: {t: }}\nsteps: [{call: {task: t, get: true}}]", "no-results", "get", "rpc://"),
        ("celery: {apps: {a: }, tasks: {t: }}\nsteps: [{call: {task: t, eta: soon}}]", "wrong-time", "soon", "countdown"),
        ("celery: {apps: {a: }, beats: {b: {schedule: {e: {task: t, every: 3s}}}}}", "endless-beat", "b", "until"),
        ("celery: {apps: {a: }, tasks: {t: }, beats: {b: {schedule: {e: {task: t, crontab: '61 * * * *'}}}}}\nuntil: 5s", "wrong-crontab",
         "'61 * * * *'", "0 to 59"),
        ("celery: {apps: {a: {task_create_missing_queues: false}}, tasks: {t: }}\nsteps: [{call: {task: t, queue: celry}}]", "celery-raises",
         "celry", "did you mean 'celery'"),
        ("celery: {apps: {a: {task_default_queue_type: quorum, task_default_exchange_type: topic}}, tasks: {t: }}\n"
         "steps: [{call: {task: t, countdown: 0.5}}]", "celery-raises", "countdown", "at least a second"),
        ("celery: {apps: {a: }}\nsteps: [{control: {do: revoke}}]", "missing-key", "control", "the id of the task"),
        ("celery: {apps: {a: }}\nsteps: [{control: {do: ping, to: w9}}]", "unknown-worker", "w9", "w9"),
        ("celery: {apps: {a: }}\nsteps: [{call: {task: t}, wait: 1s}]", "wrong-type", "wait", "one step is one verb"),
        ("celery: {apps: {a: }, workers: {w: }}\nworkers: {w: {queues: []}}", "duplicate-name", "w", "line 2"),
        ("celery: {apps: {a: }, workers: {w: }}\nqueues: [{name: q}]", "celery-beside-list", "[", "definitions"),
        ("celery: {apps: {a: {task_queues: {q: {queue_arguments: {x-message-ttl: -1}}}}}, workers: {w: }}", "refused", "q", "invalid arg"),
        ("celery: {apps: {a: }, producers: {web: {app: a}}, tasks: {t: }}\nqueues: {celery: {durable: false, exclusive: true}}\n"
         "steps: [{call: {task: t, by: web}}]", "refused", "call", "fails: 406"),
    ],
)  # fmt: skip
def test_an_error_points_to_its_place_and_knows_a_cure(text: str, code: str, marked: str, words: str) -> None:
    problem = only(text)
    assert (problem.code, problem.marked) == (code, marked)
    assert words in problem.message + problem.cure


def test_all_errors_are_told_at_once() -> None:
    problems = refused("""
celery:
  apps: {shop: {task_route: {}}}
  workers: {w1: {concurency: 2}}
  tasks: {t: {ends: explode, runs: [{idd: 5}]}}
steps:
  - call: {task: t, by: web}
  - control: {do: revok}
queues: {q: {durabel: true}}
""")
    assert [problem.marked for problem in problems if problem.severity == "error"] == [
        "task_route", "concurency", "explode", "idd", "web", "revok", "durabel",
    ]  # fmt: skip


def test_a_worker_exits_where_its_queue_is_there_in_another_way() -> None:
    """sequence 36"""
    outcome = play("""
queues: {celery: }
celery: {apps: {shop: {task_queue_max_priority: 10}}, workers: {w1: }, tasks: {add: }}
steps:
  - call: {task: add}
    fails: 406
expect: {workers: {w1: {online: false}}, queues: {celery: {ready: 0}}}
""")
    assert all(item["ok"] for item in outcome.result["expectations"])
    assert {(error["code"], error["expected"]) for error in outcome.result["errors"]} == {(406, False), (406, True)}
    assert "refused" in {problem.code for problem in problems_in(outcome.err)}


def test_a_task_that_nobody_knows_is_allowed_and_told() -> None:
    text = "celery: {apps: {a: }, workers: {w: }, tasks: {mail.send: }}\nsteps: [{call: {task: mail.snd, id: t1}}]\nexpect: {tasks: {t1: {state: REJECTED}}}"
    (problem,) = warned(text)
    assert (problem.code, problem.marked) == ("unknown-task", "mail.snd")
    assert problem.cure == "did you mean 'mail.send'?"


def test_an_entry_that_is_never_due_is_told() -> None:
    text = 'celery: {apps: {a: }, tasks: {t: }, beats: {b: {schedule: {e: {task: t, crontab: "0 3 * * *"}}}}}\nuntil: 60s'
    (problem,) = warned(text)
    assert problem.code == "never-due"
    assert "1 min" in problem.message


BEAT = "celery: {{apps: {{a: }}, tasks: {{t: }}, beats: {{b: {{schedule: {{e: {{task: t, {when}}}}}}}}}{starts}}}\n{lasts}\n"


@pytest.mark.parametrize("when", ["every: 1ms", 'crontab: "* * * * *"'])
@pytest.mark.parametrize("lasts", ["until: 36500d", "steps: [{wait: 36500d}]"])
def test_a_beat_with_a_far_end_is_refused_before_its_calls_are_made(when: str, lasts: str) -> None:
    problem = only(BEAT.format(when=when, lasts=lasts, starts=""))
    assert problem.code == "too-large"
    assert "200,000" in problem.message


ALIKE = """celery:
  apps: {shop: {task_send_sent_event: true, result_backend: "rpc://"}}
  tasks: {work: {expires: 1h}, tell: }
  workers: {w: {}}
  beats: {b: {schedule: {e: {task: tell, every: 1s}}}}
steps:
  - call: {task: work, args: [1], count: 3, every: 1ms, countdown: 2s, headers: {a: b}, priority: 3}
  - wait: 3s
  - call: {task: work, count: 2, eta: 2026-01-02T00:00:00}
"""


def test_calls_that_are_alike_are_made_when_they_are_looked_at_and_as_those_written_out() -> None:
    short = load_source(Source("scene.yaml", ALIKE), "")
    text = routesim("celery", "expand", "scene.yaml", files={"scene.yaml": ALIKE}).out
    whole = load_source(Source("scene.yaml", text), "")
    made = [step.action.made() if isinstance(step.action, PublishLate) else step.action for step in short.steps]
    assert made == [step.action for step in whole.steps]
    assert (
        sum(isinstance(step.action, PublishLate) for step in short.steps) == 8
    )  # 2 of 3 calls, 2 of 3 beats, each with its event
    assert {step.line for step in short.steps if isinstance(step.action, PublishLate)} == {5, 7}


def test_a_beat_cannot_last_beyond_the_year_9999() -> None:
    problem = only(BEAT.format(when='crontab: "0 0 1 1 *"', lasts="until: 36500d", starts=', starts: "9990-01-01"'))
    assert (problem.code, problem.marked) == ("too-large", "'0 0 1 1 *'" if "'" in problem.marked else '"0 0 1 1 *"')
    assert "starts" in problem.cure


# The command ---------------------------------------------------------------------------------------------------------


def test_the_expanded_text_says_what_each_part_is() -> None:
    files = {
        "shop.yaml": SCENES["a task goes to the default exchange"].replace(
            "apps: {shop: {", "apps: {shop: {worker_log_color: true, "
        )
    }
    outcome = routesim("celery", "expand", "shop.yaml", files=files)
    assert (outcome.status, outcome.err) == (0, "")
    for words in (
        "# shop.yaml with Celery's words expanded.", "change nothing about messages: worker_log_color", "# app shop: task queues",
        "# commands to w1", "# client calls add", "# w1: prefetch is worker_prefetch_multiplier 4 × 1",
    ):  # fmt: skip
        assert words in outcome.out, outcome.out


def test_without_celery_there_is_nothing_to_expand() -> None:
    outcome = routesim("celery", "expand", "s.yaml", files={"s.yaml": "queues: {q: }"})
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == "error: there is nothing of Celery in s.yaml: `celery:` is missing\n"


def test_what_is_wrong_is_told_here_too() -> None:
    outcome = routesim("celery", "expand", "s.yaml", files={"s.yaml": "celery: {apps: {a: {task_route: {}}}}"})
    assert (outcome.status, outcome.out) == (2, "")
    assert "did you mean 'task_routes'?" in outcome.err


def test_definitions_are_found_from_where_the_text_will_be() -> None:
    files: dict[str, str | bytes] = {
        "a/scene.yaml": "definitions: d.json\ncelery: {apps: {shop: }, workers: {w: {queues: [q]}}, tasks: {t: }}\nsteps: [{call: {task: t}}]\n",
        "a/d.json": '{"queues": [{"name": "q", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}]}',
    }
    outcome = routesim("celery", "expand", "a/scene.yaml", files=files)
    assert "definitions: [a/d.json]" in outcome.out
    assert routesim("run", "-", "-q", files=files, stdin=outcome.out.encode()).status == 0


def test_a_wait_that_is_parted_loses_nothing_that_stands_beside_it() -> None:
    """Where results may expire, a wait is parted by what is published meanwhile; a key that is none is told all the same."""
    text = """
celery:
  apps: {shop: {result_backend: "rpc://", result_expires: 4}}
  tasks: {add: }
  beats: {beat: {schedule: {tick: {task: add, every: 3s}}}}
steps:
  - {wait: 4500ms, app: x}
until: 11s
"""
    assert only(text).code == "unknown-step"


# What is tried first -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "marked", "cure"),
    [
        ("celery: {apps: {a: }, broker: {kind: redis}}", "broker", "at the top of the scenario"),
        ("celery: {apps: {a: }, broker_url: redis://}", "broker_url", "broker: {kind: redis}"),
        ("celery: {apps: {a: }, beat: {}}", "beat", "beats:"),
        (
            "celery: {apps: {a: }, beats: {b: {schedule: {e: {task: t, every: 1s, options: {queue: q}}}}}}",
            "options",
            "beside `task`",
        ),
    ],
)
def test_a_key_that_is_tried_first_is_told_where_it_stands(text: str, marked: str, cure: str) -> None:
    [problem] = [each for each in refused(text + "\nuntil: 5s\n") if each.code == "unknown-key"]
    assert problem.marked == marked
    assert cure in problem.cure


SHOWN = """
celery:
  apps: {shop: {result_backend: rpc://}}
  workers: {w1: }
  tasks: {mail: }
  beats: {beat: {schedule: {tick: {task: mail, every: 30s}}}}
  flower:
steps:
  - call: {task: mail, id: t1, get: true}
  - control: {do: ping}
  - wait: 40s
  - worker: {name: w1, do: kill}
  - flower: stop
"""


def test_a_step_is_shown_as_it_is_written_and_not_as_what_it_stands_for() -> None:
    texts = dict.fromkeys(event["text"] for event in play(SHOWN).of("step"))
    assert list(texts) == [
        "Flower wants events", "beat: tick {task: mail, every: 30s}", "call {task: mail, id: t1, get: true}", "control {do: ping}",
        "wait 40s", "worker {name: w1, do: kill}", "flower stop",
    ]  # fmt: skip
    page = routesim("run", "scene.yaml", "--format", "html", files={"scene.yaml": SHOWN}).out
    assert "call {task: mail, id: t1, get: true}" in page
    assert "publish {" not in page


def test_a_call_that_fails_is_told_as_it_is_written() -> None:
    text = SHOWN.replace("  - flower: stop", "  - {call: {task: mail, id: t2}, fails: 404}")
    said = routesim("run", "scene.yaml", files={"scene.yaml": text}).out
    assert "call {task: mail, id: t2}" in said
