"""Celery tasks, one module per subdomain; each calls one service and is safe to run twice."""
