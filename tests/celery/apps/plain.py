"""Nothing but defaults."""

from celery import Celery

app = Celery("plain")


@app.task(name="add")
def add():
    pass
