"""The Celery application; its schedule stands in `tasks.schedule`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.development")

app = Celery("wibestore")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["tasks"], related_name="accounts")
app.autodiscover_tasks(["tasks"], related_name="core")
app.autodiscover_tasks(["tasks"], related_name="escrow")
app.autodiscover_tasks(["tasks"], related_name="ledger")
app.autodiscover_tasks(["tasks"], related_name="listings")
app.autodiscover_tasks(["tasks"], related_name="messaging")
app.autodiscover_tasks(["tasks"], related_name="notifications")
app.autodiscover_tasks(["tasks"], related_name="payments")
app.autodiscover_tasks(["tasks"], related_name="subscriptions")
