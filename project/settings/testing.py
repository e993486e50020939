"""The test suite: fast hashing, mail in memory, jobs run when a test says so."""

import os

os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "true"
)  # the browser driver keeps a loop running in the test's thread

from project.settings import outbound, providers
from project.settings.base import *

DEBUG = False
DEVELOPER_PAGES = True
SECURE_CSP["frame-src"] = ["'self'"]
VAR_DIR.mkdir(exist_ok=True)

# TEST_DATABASE_URL and TEST_REDIS_URL choose the services; TEST_RUN keeps parallel runs on one machine apart.
_run = env.str("TEST_RUN", "run")
DATABASES = {"default": database(env.str("TEST_DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'test.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: in-memory SQLite is shared-cache and ignores busy timeouts.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{_run}.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_wibestore_{_run}"}
    DATABASES["default"]["CONN_MAX_AGE"] = 0

TEST_REDIS_URL = env.str("TEST_REDIS_URL", "")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
if TEST_REDIS_URL:
    # Each parallel worker has a Redis database of its own, from 8 on: the tests empty it.
    _number = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    _redis = f"{TEST_REDIS_URL.rstrip('/')}/{_number}"
    CACHES = {"default": {"BACKEND": "marketplace.core.redis_cache.RedisCache", "LOCATION": _redis}}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": _redis, "socket_timeout": None}], "prefix": f"test-{_number}"},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {"default": {"BACKEND": "marketplace.core.layers.ThreadSafeInMemoryLayer"}}
CELERY_BROKER_URL = "memory://"
LIVE_THREADS = int(os.environ.get("LIVE_THREADS", "1"))  # a test's connection is its thread's own
COURIER_THREAD = False  # what goes out after a commit has gone when the test looks

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RECOVERY_CODES_COST = (1, 8, 1)
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
AXES_ENABLED = False
ACCOUNT_RATE_LIMITS = False
STAFF_SECOND_FACTOR = NEW_BROWSER_CODE = False  # the tests of it switch it on
PAYMENT_PROVIDERS, PAYMENT_CONFIG = providers.configured(env, samples=True)
PAYMENT_PROVIDERS["sandbox"] = "marketplace.payments.providers.sandbox.SandboxProvider"
RATE_LIMITS = {}
SMS_PROVIDER = ""
PAYMENT_PROVIDERS["mock"] = "marketplace.payments.providers.mock.MockProvider"
MEDIA_ROOT = VAR_DIR / f"test-media-{_run}"
CLAMD_URL = ""
STORAGES["private"]["OPTIONS"]["location"] = str(VAR_DIR / f"test-private-{_run}")
WHITENOISE_AUTOREFRESH = True
LANGUAGE_CODE = "en"
ALLOWED_HOSTS = ["*"]
# Stand-ins for others are servers on this machine.
OUTBOUND_EXTRA_HOSTS = ["127.0.0.1:*", "localhost:*"]
OUTBOUND = outbound.places(globals())
