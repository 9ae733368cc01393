"""What a worker does when a command arrives in its inbox."""

import json
from typing import Any

import pytest
from kits.celery.notation import CLIENT, carried_out, command, eta, scenario, send, wait

TASKS = {
    "t": {"takes": "2s"},
    "late": {"takes": "2s", "acks": "late"},
    "rated": {"rate_limit": "1/m"},
    "slow": {"rate_limit": "6/m"},
}


def commanded(*steps: Any, **worker: Any) -> str:
    """The notation of a run with a worker that has an inbox."""
    what = scenario(
        tasks=TASKS,
        exchanges={"celery.pidbox": "fanout", "replies": "direct", "celeryev": "topic"},
        queues={"q": {}, "other": {}, "inbox": {}},
        bindings=[{"source": "celery.pidbox", "destination": "inbox"}],
        workers={"w": {"queues": "q", "prefetch": 4, "control": "inbox", "replies": "replies", **worker}},
        steps=list(steps),
        until="20s",
    )
    return carried_out(what)[0]


def said(body: str) -> dict[str, Any]:
    return {"publish": {"channel": CLIENT, "exchange": "celery.pidbox", "id": "said", "body": body}}


def addressed(method: str, destination: list[str], **arguments: Any) -> dict[str, Any]:
    return said(json.dumps({"method": method, "arguments": arguments, "destination": destination}))


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"method": "unheard_of"}', "{}"])
def test_what_is_no_command_is_passed_over(body: str) -> None:
    assert commanded(said(body), send("t")) == "P said, D said, P t, D(1) t, A(1) t, run t, 2s: end t"


@pytest.mark.parametrize(("destination", "revoked"), [(["w"], True), (["v", "w"], True), (["v"], False), ([], True)])
def test_a_command_is_for_those_whom_it_names_or_for_all(destination: list[str], revoked: bool) -> None:
    done = commanded(addressed("revoke", destination, task_id="t"), send("t"))
    assert ("revoked t" in done) is revoked


def test_revoke_takes_a_list() -> None:
    done = commanded(command("revoke", task_id=["a", "b"]), send("a"), send("b"), send("c"))
    assert [id for id in "abc" if f"revoked {id}" in done] == ["a", "b"]


def test_what_was_revoked_is_forgotten_with_the_process() -> None:
    restarted = [{"worker": {"name": "w", "do": do}} for do in ("kill", "start")]
    done = commanded(command("revoke", task_id="t"), *restarted, send("t"))
    assert done.endswith("D(1) t, A(1) t, run t, 2s: end t")


def test_a_rate_limit_is_set_and_lifted() -> None:
    limited = commanded(command("rate_limit", task_name="t", rate_limit="1/m"), send("a"), send("b"))
    lifted = commanded(command("rate_limit", task_name="rated", rate_limit=0), send("a", "rated"), send("b", "rated"))
    assert ("run a" in limited, "run b" in limited) == (True, False)
    assert ("run a" in lifted, "run b" in lifted) == (True, True)


def test_what_waited_goes_on_at_the_rate_that_it_came_under() -> None:
    """Celery makes new buckets and leaves the old ones to their timers: what comes later overtakes what waits."""
    done = commanded(
        *(send(id, "slow") for id in "ab"),
        command("rate_limit", task_name="slow", rate_limit=0),
        *(send(id, "slow") for id in "cd"),
    )
    assert [done.index(f"run {id}") for id in "acdb"] == sorted(done.index(f"run {id}") for id in "abcd")
    assert "10s: A(2) b, run b" in done


@pytest.mark.parametrize(("task", "rate"), [("unheard.of", "1/m"), ("t", "often")])
def test_no_rate_or_no_task_changes_nothing(task: str, rate: str) -> None:
    done = commanded(command("rate_limit", task_name=task, rate_limit=rate), send("a"), send("b"))
    assert "2s: end a, A(2) b, run b" in done


def test_ping_is_answered_where_it_asks_to_be() -> None:
    body = {"method": "ping", "arguments": {}, "reply_to": {"exchange": "replies", "routing_key": "me"}}
    assert commanded(said(json.dumps(body))) == "P, D, P, nowhere"


def test_shutdown_is_a_warm_one() -> None:
    done = commanded(send("a"), send("b"), command("shutdown"))
    assert done.endswith("2s: end a, close, back(2) b, offline")


def test_a_worker_that_loses_its_connection_while_it_stops_acknowledges_no_more() -> None:
    done = commanded(send("t", "late"), command("shutdown"), wait("500ms"), {"crash": "w"})
    assert done == "P t, D(1) t, run t, P shutdown, D shutdown, 0.5s: X, back(1) t, 2s: end t, unsettled t, offline"


def test_events_are_switched_on_and_off() -> None:
    off = commanded(command("disable_events"), send("t"), events="celeryev")
    on = commanded(command("enable_events"), send("t"), events="celeryev", sends_events=False)
    assert off.count("P w-event") == 1  # online
    assert on.count("P w-event") == 4  # received, started and succeeded as well


def test_a_consumer_is_taken_away_and_added() -> None:
    away = commanded(command("cancel_consumer", queue="q"), send("t"))
    added = commanded(command("add_consumer", queue="other"), send("t", routing_key="other"))
    assert "D(1) t" not in away
    assert "run t" in added


def test_consumers_taken_away_and_added_outlive_a_connection() -> None:
    lose = {"worker": {"name": "w", "do": "disconnect"}}
    away = commanded(command("cancel_consumer", queue="q"), wait("1s"), lose, send("t"))
    added = commanded(command("add_consumer", queue="other"), wait("1s"), lose, send("t", routing_key="other"))
    assert "D(1) t" not in away
    assert "run t" in added


def test_a_consumer_taken_away_does_not_end_what_it_got() -> None:
    done = commanded(send("e", **eta(3)), command("cancel_consumer", queue="q"))
    assert done.endswith("3s: Q(4,g), A(1) e, run e, 5s: end e")
