"""One scenario by RabbitMQ's rules and by Redis's."""
