"""RabbitMQ's management API, under /api, for a server whose brokers are embedded engines."""
