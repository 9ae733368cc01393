"""What `routesim explore` does once its command line is understood."""
