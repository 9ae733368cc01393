"""The `celery:` section, expanded into plain sections before anything else is read."""
