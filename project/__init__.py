"""How the product runs: settings, URLs, servers, Celery. What it does lives in `marketplace`."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
