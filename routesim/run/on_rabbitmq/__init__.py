"""A scenario on a real RabbitMQ: the session, its clock, what is asked of the embedded engine before, and what can be seen."""
