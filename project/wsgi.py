"""Pages over WSGI: gunicorn in production."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.production")

application = get_wsgi_application()

# What is loaded by now stays for the life of the process: the collector need not walk through it again and again, and a
# request's own objects mostly die young, so it may come less often.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
