"""What programs of FastStream and kombu declare: asked as a Celery app is, in a process of their own interpreter."""
