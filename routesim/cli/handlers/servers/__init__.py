"""What `routesim serve` does, and what asks a server that runs."""
