"""routesim: the command-line simulator of RabbitMQ's message routing."""

__version__ = "0.1.0"
