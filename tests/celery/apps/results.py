"""Results come back as messages."""

from celery import Celery

app = Celery("results", backend="rpc://")
app.conf.update(result_expires=3600, worker_send_task_events=True, task_send_sent_event=True)


@app.task(name="ask")
def ask():
    pass
