"""Why a message did not expire when it was due: in the trace, in its story, in reasons of failures (rules/queues#5.4 to
rules/queues#5.7)."""

import pytest
from kits.broker import ALL

from routesim import events
from routesim.check import check
from routesim.explain.failing.failures import failures
from routesim.explain.message import explain_message
from routesim.narration import NARRATION, overdue_why
from routesim.report.trace.rows import Rows
from routesim.run import Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

WAIT = """
rabbitmq: "VERSION"
queues:
  wait: {type: KIND, arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}
  work:
steps:
  - publish: {routing_key: wait, id: slow, expiration: "60000"}
  - publish: {routing_key: wait, id: fast, expiration: "1000"}
"""
BY_PRIORITY = """
queues:
  jobs: {arguments: {x-max-priority: 5}}
steps:
  - publish: {routing_key: jobs, id: low}
  - publish: {routing_key: jobs, id: high, priority: 4, expiration: "1000"}
  - wait: 3s
"""


def scenario(text: str) -> Scenario:
    return load_source(Source("scenario.yaml", text), "")


def told(text: str) -> list[events.Event]:
    heard: list[events.Event] = []
    Runner(scenario(text), heard.append).run()
    return heard


def overdue(text: str) -> list[tuple[str, str, str | None, int, int]]:
    return [
        (event.message, event.why, event.before, event.due_ms, event.at_ms)
        for event in told(text)
        if isinstance(event, events.Overdue)
    ]


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_behind_the_head(kind: str, version: str) -> None:
    text = WAIT.replace("KIND", kind).replace("VERSION", version)
    assert overdue(text) == [("fast", "behind", "slow", 1_000, 60_000)]
    assert overdue(text.replace("60000", "1000")) == []


@pytest.mark.parametrize("how", ["get: {queue: wait, channel: c}", "purge: wait"])
def test_the_one_before_is_the_last_that_left(how: str) -> None:
    text = WAIT.replace("KIND", "classic").replace("VERSION", "4.3")
    text += f"  - publish: {{routing_key: wait, id: faster, expiration: '500'}}\n  - wait: 2s\n  - {how}\n"
    found = [("fast", "behind", "slow", 1_000, 2_000), ("faster", "behind", "fast", 500, 2_000)]
    assert overdue(text) == (found if how.startswith("get") else [])


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_unacked_when_it_was_due(kind: str) -> None:
    text = WAIT.replace("KIND", kind).replace("VERSION", "4.3")
    text += "  - get: {queue: wait, channel: c}\n  - wait: 70s\n  - nack: {channel: c, message: slow}\n"
    assert overdue(text)[-1] == ("slow", "unacked", None, 60_000, 70_000)


def test_delivered_after_its_time_when_it_came_to_the_front_by_its_priority() -> None:
    text = BY_PRIORITY + "  - get: {queue: jobs, channel: c}\n"
    assert overdue(text) == [("high", "no timer", None, 1_000, 3_000)]
    assert overdue(text.replace("priority: 4, ", "")) == [("high", "behind", "low", 1_000, 3_000)]
    consumed = "  - consume: worker\nconsumers: {worker: {queue: jobs, start: false}}\n"
    assert overdue(BY_PRIORITY + consumed) == [("high", "no timer", None, 1_000, 3_000)]


def test_the_reason_has_a_row_before_what_becomes_of_it() -> None:
    rows = Rows()
    shown = [row for event in told(WAIT.replace("KIND", "classic").replace("VERSION", "4.3")) if (row := rows.row(event))]
    place = next(index for index, row in enumerate(shown) if row.event == "overdue")
    reason = "due at 1.000 s, but only the head of a queue expires: slow stood before it until 60.000 s"
    assert shown[place].why == reason
    assert (shown[place + 1].event, shown[place + 1].message) == ("dead-lettered", "fast")


def test_every_reason_has_words() -> None:
    event = events.Overdue(3_000, "m", "q", 1, 1_000, "", "first")
    said = {why: overdue_why(event._replace(why=why)) for why in ("behind", "no timer", "unacked")}
    assert len(set(said.values())) == 3
    assert all(text.startswith("due at 1.000 s, ") for text in said.values())
    assert events.Overdue in NARRATION


def test_the_story_of_a_message_tells_why_it_is_late() -> None:
    texts = [
        item["text"]
        for item in explain_message(scenario(WAIT.replace("KIND", "quorum").replace("VERSION", "4.3")), "fast").data["story"]
    ]
    assert any(text.startswith("overdue in wait: due at 1.000 s") for text in texts)


@pytest.mark.parametrize(
    ("text", "message", "says"),
    [
        (
            WAIT.replace("KIND", "classic").replace("VERSION", "4.3") + "  - wait: 2s\nuntil: steps\n",
            "fast",
            "still in wait: due at 1.000 s, but only the head of a queue expires: slow stands before it",
        ),
        (BY_PRIORITY, "high", "still in jobs: due at 1.000 s, but it came to the front by its priority"),
    ],
)
def test_what_still_waits_beyond_its_time_says_why(text: str, message: str, says: str) -> None:
    answer = explain_message(scenario(text), message)
    assert answer.data["story"][-1]["text"].startswith(says)
    assert answer.sections[0].rows[-1][1].text.startswith(says)
    queue = next(iter(answer.data["states"]))
    wrong = {f"messages: {{{message}: {{{queue}: 'dropped: expired'}}}}", f"queues: {{{queue}: {{ready: 7}}}}"}
    for wanted in sorted(wrong):
        (failure,) = failures(Runner(scenario(text + f"expect: {{{wanted}}}")).run())
        assert says in failure.why


# The note of `check` -----------------------------------------------------------------------------------------------------


def noted(text: str) -> list[str]:
    from routesim.scenario import load_placed

    made, places = load_placed("-", text.encode())
    return [item.message for item in check(made, places) if item.code == "expiry-late"]


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_check_notes_times_to_live_that_differ(kind: str) -> None:
    text = WAIT.replace("KIND", kind).replace("VERSION", "4.3")
    (message,) = noted(text)
    assert "of 1 s stays beyond it behind one with a time to live of 1 min" in message
    assert noted(text.replace("60000", "1000")) == []
    assert noted(text.replace('id: slow, expiration: "60000"', "id: slow")) != []
    with_queue = text.replace("x-dead-letter-exchange", "x-message-ttl: 500, x-dead-letter-exchange")
    assert noted(with_queue) == [], "the queue's own is the shortest: all live alike"


def test_check_notes_priorities_that_set_no_timer() -> None:
    (message,) = noted(BY_PRIORITY)
    assert "no timer" in message
    assert noted(BY_PRIORITY.replace("priority: 4, ", "").replace("id: low", 'id: low, expiration: "1000"')) == []


def test_check_says_nothing_where_a_consumer_takes_and_nothing_dies() -> None:
    text = WAIT.replace("KIND", "classic").replace("VERSION", "4.3")
    served = text + "consumers: {worker: {queue: wait}}\n"
    assert noted(served) != [], "its dead letters are late"
    assert noted(served.replace('x-dead-letter-exchange: "", x-dead-letter-routing-key: work', "")) == []
