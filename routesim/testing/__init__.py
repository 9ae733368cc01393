"""For tests in Python: the public API behind `import routesim`, and the pytest plugin."""
