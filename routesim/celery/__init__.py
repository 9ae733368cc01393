"""What Celery makes of its settings on RabbitMQ: queues, routes, messages, delays and schedules, as values.

Rules are those of Celery 5.7 and kombu 5.7, read in their source and recorded on the wire (celery.md).
"""
