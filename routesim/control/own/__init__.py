"""routesim's own API, under /api/routesim: time, events, what is lost and why, failures, snapshots."""
