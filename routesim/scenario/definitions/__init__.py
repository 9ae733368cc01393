"""RabbitMQ definitions files, in and out."""
