"""A laptop: nothing to install, sample secrets, the sandbox gateway, mail printed and kept at /dev/mail/."""

from urllib.parse import urlsplit

from project.settings import outbound, providers
from project.settings.base import *

DEBUG = env.bool("DEBUG", True)
INTERNAL_IPS = ["127.0.0.1"]
VAR_DIR.mkdir(exist_ok=True)

PAYMENT_PROVIDERS, PAYMENT_CONFIG = providers.configured(env, samples=True)
PAYMENT_PROVIDERS["sandbox"] = "marketplace.payments.providers.sandbox.SandboxProvider"
# On a laptop everybody comes from one address: scripts that play a crowd must get through.
RATE_LIMITS = {"ticket": RATE_LIMITS["ticket"]}
PAYMENT_PROVIDERS["mock"] = "marketplace.payments.providers.mock.MockProvider"
SMS_PROVIDER = SMS_PROVIDER or "console"
# The demo's people can sign in by the words of the README.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", False)
NEW_BROWSER_CODE = env.bool("NEW_BROWSER_CODE", False)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Pages of developers (mail that was sent, component gallery) and the sandbox gateway are served here only.
DEVELOPER_PAGES = True
SECURE_CSP["frame-src"] = ["'self'"]  # a mail beside the list of mails
if not EMAIL_HOST_NAME:
    MAILERS = {"default": {"BACKEND": "marketplace.notifications.mail.DeveloperBackend"}}

if DEBUG and env.bool("DEBUG_TOOLBAR", False):
    INSTALLED_APPS += ["debug_toolbar"]
    MIDDLEWARE.insert(5, "debug_toolbar.middleware.DebugToolbarMiddleware")
    DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": lambda _request: True}

# Google, where no client of its own is set: a page of this site plays it (accounts/google/stand_in.py).
if not env.str("GOOGLE_CLIENT_ID", "") and urlsplit(SITE_URL).hostname == "127.0.0.1":
    GOOGLE_CLIENT_ID = "sandbox-google"
    GOOGLE_CLIENT_SECRET = "sample-secret-of-sandbox-google"  # noqa: S105  # nosec B105
    GOOGLE_ISSUER = f"{SITE_URL}/sandbox/google"
    SECURE_CSP["form-action"] += [SITE_URL, SITE_URL.replace("127.0.0.1", "localhost")]

# The sandbox gateway calls this site, by whatever name its pages were opened.
_own = {"localhost", "127.0.0.1", "[::1]", *(host.lstrip(".") for host in ALLOWED_HOSTS if host != "*")}
_own |= {urlsplit(url).netloc.partition(":")[0] for url in (SITE_URL, SANDBOX_WEBHOOK_BASE) if url}
OUTBOUND_EXTRA_HOSTS += sorted(f"{host}:*" for host in _own)
OUTBOUND = outbound.places(globals())
