"""A page that shows a virtual host as it lives."""
