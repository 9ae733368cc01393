"""What is asked of a server over HTTP: the management API as RabbitMQ has it, and routesim's own."""
