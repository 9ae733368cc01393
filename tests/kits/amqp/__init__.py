"""AMQP as tests speak it: a raw client, drawn sessions, and their twins on two servers."""
