"""The real thing. It refuses to start on a missing or sample secret, and says which."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from marketplace.core.log_shipping import server as log_server
from marketplace.core.secrets import SECRET_LENGTH, unfit_secrets
from project.settings import outbound, providers
from project.settings.base import *

DEBUG = False
DEVELOPER_PAGES = False

unfit = unfit_secrets(
    {
        "SECRET_KEY": env.str("SECRET_KEY", ""),
        "FERNET_KEY": env.str("FERNET_KEY", ""),
        "DATABASE_URL": env.str("DATABASE_URL", ""),
        "ALLOWED_HOSTS": env.str("ALLOWED_HOSTS", ""),
        "EMAIL_HOST": env.str("EMAIL_HOST", ""),
        "EMAIL_HOST_PASSWORD": env.str("EMAIL_HOST_PASSWORD", "") or "unset",
        "SENTRY_DSN": SENTRY_DSN or "unset",
        "TELEGRAM_BOT_TOKEN": env.str("TELEGRAM_BOT_TOKEN", "") or "unset",
        "TELEGRAM_WEBHOOK_SECRET": env.str("TELEGRAM_WEBHOOK_SECRET", "") or "unset",
        **providers.secrets(env),
        "JWT_SECRET_KEY": JWT_SECRET_KEY or "unset",
        "ESKIZ_PASSWORD": ESKIZ_PASSWORD or "unset",
        "GOOGLE_CLIENT_SECRET": GOOGLE_CLIENT_SECRET or "unset",
    },
    example=BASE_DIR / ".env.example",
    samples={SAMPLE_SECRET_KEY, SAMPLE_FERNET_KEY, SAMPLE_SANDBOX_SECRET} | providers.samples(),
)
if 0 < len(JWT_SECRET_KEY) < SECRET_LENGTH:
    unfit.append(f"JWT_SECRET_KEY is shorter than {SECRET_LENGTH} characters.")
if SMS_PROVIDER and SMS_PROVIDER != "eskiz":
    unfit.append("SMS_PROVIDER must be eskiz or empty: the console would show codes to whoever reads it.")
if SMS_PROVIDER == "eskiz" and not (ESKIZ_EMAIL and ESKIZ_PASSWORD):
    unfit.append("SMS_PROVIDER is eskiz, but ESKIZ_EMAIL or ESKIZ_PASSWORD is not set.")
if not ESKIZ_BASE_URL.startswith("https://"):
    unfit.append("ESKIZ_BASE_URL must be an https:// address.")
if not TELEGRAM_OAUTH_BASE.startswith("https://"):
    unfit.append("TELEGRAM_OAUTH_BASE must be an https:// address.")
if not GOOGLE_ISSUER.startswith("https://"):
    unfit.append("GOOGLE_ISSUER must be an https:// address.")
OUTBOUND_GUARD = env.str("OUTBOUND_GUARD", "refuse")
if OUTBOUND_GUARD not in {"refuse", "tell"}:
    unfit.append("OUTBOUND_GUARD must be refuse or tell.")
if LOG_SHIP_URL:
    try:
        log_server(LOG_SHIP_URL)
    except ValueError as error:
        unfit.append(f"LOG_SHIP_URL {error}.")
if unfit:
    raise ImproperlyConfigured(
        "Refusing to start in production:\n" + "\n".join(f"- {line}" for line in unfit)
    )

PAYMENT_PROVIDERS, PAYMENT_CONFIG = providers.configured(env, samples=False)
SECURE_CSP["form-action"] += providers.origins(PAYMENT_CONFIG)

STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}

# --- HTTPS --------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", True)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    DEVICE_COOKIE_NAME = "__Host-device"
    THEME_COOKIE_NAME = "__Host-theme"
    MESSAGES_COOKIE_NAME = "__Host-messages"
    LANGUAGE_COOKIE_NAME = "__Host-language"

# --- Templates are parsed once -------------------------------------------------------------------
TEMPLATES[0]["APP_DIRS"] = False
TEMPLATES[0]["OPTIONS"]["loaders"] = [
    (
        "django.template.loaders.cached.Loader",
        ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
    )
]

# --- Logs: a rotating file beside the console, a log server, errors to Sentry ----------------------------------
LOG_DIR = Path(env.str("LOG_DIR", str(BASE_DIR / "logs")))
LOG_DIR.mkdir(exist_ok=True)
LOGGING["handlers"]["file"] = {
    "class": "logging.handlers.RotatingFileHandler",
    "filename": str(LOG_DIR / "wibestore.log"),
    "maxBytes": 20 * 1024 * 1024,
    "backupCount": 10,
    "delay": True,
    "formatter": "line",
    "filters": ["request_id", "secrets"],
}
if LOG_SHIP_URL:
    LOGGING["handlers"]["ship"] = {
        "()": "marketplace.core.log_shipping.Shipper",
        "url": LOG_SHIP_URL,
        "filters": ["request_id", "secrets"],
    }
for _logger in [LOGGING["root"], *LOGGING["loggers"].values()]:
    _logger["handlers"] = list(LOGGING["handlers"])

if SENTRY_DSN:
    import sentry_sdk

    from marketplace.core.logs import without_secrets

    sentry_sdk.init(
        dsn=SENTRY_DSN,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=without_secrets,
        before_send_transaction=without_secrets,
    )

OUTBOUND = outbound.places(globals())
