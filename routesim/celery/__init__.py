"""Celery's own rules as plain values: what its settings mean in exchanges, queues, bindings and messages."""
