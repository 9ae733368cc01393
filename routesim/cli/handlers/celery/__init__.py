"""What `routesim celery` and the import of an app do."""
