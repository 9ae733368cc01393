"""`headers` of a call: beside Celery's own in the message, so that tasks travel through a headers exchange."""

import re
from typing import Any

import pytest
from celery import Celery
from kits.scenario import checked, routesim
from kombu import Producer

TEXT = """
celery:
  apps:
    shop:
      task_queues:
        celery:
        mail: {exchange: sorted, exchange_type: headers, binding_arguments: {x-match: all, kind: mail}}
      task_routes: {send: {exchange: sorted, routing_key: any}}
  workers: {w1: }
  tasks: {send: }
steps:
  - call: {task: send, id: a%s}
expect: {tasks: {a: {state: %s}}}
"""


@pytest.mark.parametrize(
    ("headers", "state"),
    [(", headers: {kind: mail}", "SUCCESS"), (", headers: {kind: mail, more: 1}", "SUCCESS"), (", headers: {kind: x}", "PENDING"),
     ("", "PENDING")],
)  # fmt: skip
def test_a_task_travels_through_a_headers_exchange(headers: str, state: str) -> None:
    assert all(checked(TEXT % (headers, state)))


def test_they_are_in_the_message_as_celery_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("shop", broker="memory://", set_as_current=False)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Producer, "publish", lambda self, body, **more: sent.append(more))
    app.send_task("send", headers={"kind": "mail", "retries": 7}, task_id="a")
    text = TEXT % (", headers: {kind: mail, retries: 7}", "SUCCESS")
    out = routesim("celery", "expand", "s.yaml", files={"s.yaml": text}).out
    found = dict(re.findall(r"\b(kind|retries|id|task): ([\w-]+)", out[out.index("# client calls") :]))
    assert found == {name: str(sent[0]["headers"][name]) for name in found}
    assert found["kind"] == "mail"
