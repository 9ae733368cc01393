"""A worker process as Celery's: what it holds, and what it does with each message, command and instant."""
