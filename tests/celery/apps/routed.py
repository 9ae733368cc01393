"""Queues of every form, routes of every form, options of tasks, schedules."""

import re
from datetime import timedelta

from celery import Celery
from celery.schedules import BaseSchedule, crontab
from kombu import Exchange, Queue

app = Celery("routed", broker="amqp://shop:swordfish@rabbit.internal/shop")


class Tides(BaseSchedule):
    def remaining_estimate(self, last_run_at):
        return timedelta(hours=12)


def by_length(name, args, kwargs, options, task=None, **more):
    return {"queue": "long"} if len(name) > 12 else None


app.conf.update(
    task_default_queue="default",
    task_queues=[
        Queue("default", routing_key="default"),
        Queue("mail", Exchange("post"), routing_key="mail", queue_arguments={"x-message-ttl": 60000}),
        Queue("images", max_length=100, message_ttl=5.0),
        Queue("passing", Exchange("passing", durable=False), routing_key="passing", durable=False),
    ],
    task_routes=(
        {"mail.send": {"queue": "mail", "priority": 7}, "mail.*": "mail"},
        [("img.*", {"queue": "images"}), (re.compile(r"(video|audio)\..*"), {"queue": "images"})],
        by_length,
    ),
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"confirm_publish": True, "login": "swordfish"},
    beat_schedule={
        "cleanup": {"task": "cleanup", "schedule": timedelta(seconds=30)},
        "report": {"task": "report.daily", "schedule": crontab(minute=0, hour=3), "options": {"queue": "mail", "shadow": "x"}},
        "ticks": {"task": "cleanup", "schedule": 2.5, "relative": True},
        "hourly": {"task": "cleanup", "schedule": timedelta(hours=1), "relative": True, "args": (1,), "kwargs": {"deep": True}},
        "dusk": {"task": "cleanup", "schedule": Tides()},
    },
)


@app.task(name="mail.send", rate_limit="10/m", autoretry_for=(OSError,), retry_kwargs={"max_retries": 5})
def send():
    pass


@app.task(name="video.cut", acks_late=False, time_limit=60, soft_time_limit=50)
def cut():
    pass


@app.task(name="report.daily", priority=3, max_retries=None, default_retry_delay=10)
def daily():
    pass


@app.task(name="cleanup", ignore_result=True, reject_on_worker_lost=True, acks_on_failure=False)
def cleanup():
    pass
