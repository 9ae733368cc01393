"""AMQP 0-9-1 as bytes: frames, methods, contents and field tables, to values and back. No sockets, no rules of routing."""
