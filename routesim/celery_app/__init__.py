"""A real Celery app's configuration, read in a process of its own, as the `celery:` section of a scenario."""
