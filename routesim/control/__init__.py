"""What is done to a server beside what its clients do: over HTTP, by the management API and routesim's own, and by a plan."""
