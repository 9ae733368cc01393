"""What is asked of a real RabbitMQ over HTTP: its management API, and what it says of deprecated features."""
