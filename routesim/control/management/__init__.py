"""RabbitMQ's management API, as far as tools and tests use it."""
