"""Random small Celery programs, carried out by real workers and by the simulator, and what can be seen of both."""
