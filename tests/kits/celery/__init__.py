"""Celery in tests: real workers and brokers, recorded notation, random programs."""
