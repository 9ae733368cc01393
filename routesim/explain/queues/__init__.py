"""`explain queue`: by the rules of RabbitMQ, and by those of Redis."""
