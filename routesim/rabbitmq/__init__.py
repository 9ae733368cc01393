"""The other engine: the same steps on a real RabbitMQ. Sockets and the wall clock live here and nowhere else."""
