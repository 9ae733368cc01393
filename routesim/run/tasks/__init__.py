"""What becomes of Celery's tasks in a run."""
