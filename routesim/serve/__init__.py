"""An AMQP 0-9-1 server whose broker is the embedded engine: connections, users, clocks. It knows no rule of routing or queueing:
what it is asked for it asks of the engine, by the same steps as everything else, and passes on what the engine answers.
"""
