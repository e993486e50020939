"""What holds everywhere. Every value that differs between places comes from the environment (see .env.example)."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import environ
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from marketplace.core.secrets import FromFiles

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"

environ.Env.read_env(BASE_DIR / ".env")
env = environ.Env()
# Of each variable NAME_FILE may name a file that holds the value.
env.ENVIRON, env.escape_proxy = FromFiles(os.environ), True

# --- Core ---------------------------------------------------------------------------------------
# Samples, good for a laptop only: production refuses to start with any of them.
SAMPLE_SECRET_KEY = "sample-secret-key-for-development-only-change-me-in-production"  # noqa: S105  # nosec B105
SAMPLE_FERNET_KEY = "c2FtcGxlLWZlcm5ldC1rZXktZm9yLWRldmVsb3BtZW4="
SAMPLE_SANDBOX_SECRET = "sandbox-test-secret"  # noqa: S105  # nosec B105

SECRET_KEY = env.str("SECRET_KEY", SAMPLE_SECRET_KEY)
# Newest first: it encrypts; the others still decrypt until `manage.py reencrypt` has run.
FERNET_KEYS = env.list("FERNET_KEY", default=[SAMPLE_FERNET_KEY])
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The header in which the proxy in front of us says who the visitor is. Empty: nobody is in front of us. It is believed only of
# connections from TRUSTED_PROXIES ("Defences"), for anybody can write a header.
REAL_IP_HEADER = env.str("REAL_IP_HEADER", "")
# Where the site is reached from outside: links in e-mails, return addresses for payment providers.
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

INSTALLED_APPS = [
    "project.apps.StaffAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # templates of ours may replace those of widgets
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.telegram",
    "axes",
    "crispy_forms",
    "crispy_tailwind",
    "channels",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "marketplace.core",
    "marketplace.accounts",
    "marketplace.notifications",
    "marketplace.ledger",
    "marketplace.payments",
    "marketplace.games",
    "marketplace.listings",
    "marketplace.subscriptions",
    "marketplace.messaging",
    "marketplace.escrow",
    "marketplace.moderation",
    "marketplace.storefront",
    "marketplace.api",
    "project",
]

MIDDLEWARE = [
    "marketplace.core.middleware.RequestIdMiddleware",
    "marketplace.core.visitors.CallerMiddleware",
    "marketplace.core.middleware.HeadersMiddleware",
    "marketplace.core.api.middleware.HttpsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.core.cache.GenerationsMiddleware",
    "marketplace.core.page_cache.AnonymousPageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "marketplace.core.api.middleware.ApiMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "marketplace.core.limits.AuthenticationLimitMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.accounts.devices.CookieMiddleware",
    "marketplace.accounts.sign_ins.FollowMiddleware",
    "marketplace.accounts.middleware.PreferencesMiddleware",
    "marketplace.accounts.middleware.LeavingMiddleware",
    "marketplace.core.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.csp",
                "django.template.context_processors.i18n",
                "marketplace.core.context_processors.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "tailwind"
CRISPY_TEMPLATE_PACK = "tailwind"

# --- Database -----------------------------------------------------------------------------------
# SQLite needs immediate transactions: a deferred one that turns into a writer fails at once when another writes.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=20000;"
    ),
}


def database(url: str) -> dict[str, object]:
    """Django's connection settings for a DATABASE_URL, with what each vendor needs to hold under load."""
    config: dict[str, object] = environ.Env.db_url_config(url)
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = dict(SQLITE_OPTIONS)
    else:
        config["ENGINE"] = "marketplace.core.postgres"
        config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
        config["CONN_HEALTH_CHECKS"] = True
        # A statement that comes again is parsed and planned once: a quarter of a purchase's time in the database.
        config["OPTIONS"] = {
            "server_side_binding": True,
            "prepare_threshold": 5,
            **cast("dict[str, object]", config.get("OPTIONS", {})),
        }
    return config


DATABASES = {"default": database(env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}

# --- Redis: cache on database 0, Celery on 1, channels on 2 --------------------------------------
REDIS_URL = env.str("REDIS_URL", "")


def redis_url(number: int) -> str:
    """The REDIS_URL with another database number; its query (certificates) stays."""
    return urlsplit(REDIS_URL)._replace(path=f"/{number}").geturl()


CACHES: dict[str, dict[str, Any]]
CHANNEL_LAYERS: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {
        "default": {"BACKEND": "marketplace.core.redis_cache.RedisCache", "LOCATION": redis_url(0)},
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py 8 reads with a 5 s timeout and caps a pool at 100 connections; a blocking reader needs neither.
            "CONFIG": {"hosts": [{"address": redis_url(2), "socket_timeout": None}], "capacity": 10_000},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
    # What is beyond the capacity is dropped without a word; an outbox of our own says so (core.live.connection).
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "marketplace.core.layers.ThreadSafeInMemoryLayer",
            "CONFIG": {"capacity": 10_000},
        }
    }

# --- Live: sockets and event streams (docs/live.md) -----------------------------------------------
# What one process keeps open at most: in all, of visitors, per person, and of visitors per network address (behind one of
# which a whole mobile network may stand).
LIVE_MAX = env.int("LIVE_MAX", 5000)
LIVE_MAX_VISITORS = env.int("LIVE_MAX_VISITORS", 2000)
LIVE_MAX_PER_PERSON = env.int("LIVE_MAX_PER_PERSON", 20)
LIVE_MAX_PER_ADDRESS = env.int("LIVE_MAX_PER_ADDRESS", 50)
# In how many threads a process serves its connections' queries and templates; each has a connection to the database.
LIVE_THREADS = env.int("LIVE_THREADS", 0) or (1 if "sqlite" in str(DATABASES["default"]["ENGINE"]) else 4)
# How often every open connection proves that its sign-in still holds; what ends by an action of ours ends at once.
LIVE_RECHECK_SECONDS = env.int("LIVE_RECHECK_SECONDS", 60)

# --- The books ----------------------------------------------------------------------------------
# How often all proofs are run, and from when on the last audit is too old to prove anything.
BOOKS_AUDIT_EVERY = timedelta(minutes=env.int("BOOKS_AUDIT_MINUTES", 15))
BOOKS_AUDIT_LATE_AFTER = timedelta(minutes=env.int("BOOKS_AUDIT_LATE_MINUTES", 60))

# --- Monitoring ---------------------------------------------------------------------------------
# Who may read /metrics/ without a token: this machine, and Docker's own networks.
METRICS_ALLOWED_NETWORKS = env.list(
    "METRICS_ALLOWED_NETWORKS", default=["127.0.0.0/8", "::1/128", "172.16.0.0/12"]
)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- Celery -------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or (redis_url(1) if REDIS_URL else "memory://")
CELERY_RESULT_BACKEND = env.str("CELERY_RESULT_BACKEND", "") or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# A broker that is down must not hold up a page: the outbox row is there, the sweeper will hand it over.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {"socket_connect_timeout": 2, "socket_timeout": 10} if REDIS_URL else {"polling_interval": 0.05}
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_DEFAULT_QUEUE = "wibestore"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "hand over jobs that were never picked up": {"task": "tasks.core.sweep_jobs", "schedule": 15.0},
    "forget finished jobs": {"task": "tasks.core.forget_finished_jobs", "schedule": 6 * 3600.0},
    "forget tokens that are too old": {
        "task": "tasks.accounts.forget_expired_tokens",
        "schedule": 6 * 3600.0,
    },
    "forget people who never confirmed an address": {
        "task": "tasks.accounts.cleanup_unverified_users",
        "schedule": 24 * 3600.0,
    },
    "forget sign-ins that are long over": {
        "task": "tasks.accounts.forget_old_sign_ins",
        "schedule": 24 * 3600.0,
    },
    "forget security events that are too old": {
        "task": "tasks.accounts.forget_old_security_events",
        "schedule": 24 * 3600.0,
    },
    "delete copies of data that are too old": {
        "task": "tasks.accounts.clear_up_exports",
        "schedule": 3600.0,
    },
    "delete accounts whose wait is over": {"task": "tasks.accounts.delete_accounts", "schedule": 3600.0},
    "forget codes by SMS and mail": {"task": "tasks.accounts.forget_codes", "schedule": 6 * 3600.0},
    "act on trade deadlines": {"task": "tasks.escrow.sweep", "schedule": 30.0},
    "process webhooks that a crash left behind": {"task": "tasks.payments.sweep_webhooks", "schedule": 60.0},
    "remind of plans, renew and end them": {
        "task": "tasks.subscriptions.check_subscription_expirations",
        "schedule": 3600.0,
    },
    "prove the books": {"task": "tasks.ledger.audit", "schedule": BOOKS_AUDIT_EVERY.total_seconds()},
    "approve what waited too long": {"task": "tasks.listings.auto_approve", "schedule": 1800.0},
    "send daily summaries": {"task": "tasks.notifications.send_digests", "schedule": 300.0},
    "forget old notifications": {
        "task": "tasks.notifications.cleanup_old_notifications",
        "schedule": 24 * 3600.0,
    },
}
# Jobs and live events leave by a thread of their own, so that no answer waits for a broker.
COURIER_THREAD = True
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", 8)

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "marketplace.accounts.validators.NotOneselfValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "marketplace.accounts.validators.NotBreachedValidator"},
    {"NAME": "marketplace.accounts.validators.NotOurNameValidator"},
    {"NAME": "marketplace.accounts.validators.LetterAndDigitValidator"},
    {"NAME": "marketplace.accounts.validators.NotRecentlyUsedValidator", "OPTIONS": {"remembered": 5}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "storefront:home"
LOGOUT_REDIRECT_URL = "storefront:home"
ACCOUNT_ADAPTER = "marketplace.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# Links for a new password: an hour, for mail servers that take a letter at the second try only.
PASSWORD_RESET_TIMEOUT = 3600
# Tries are counted in one place ("Defences") and failures by axes; what stays with allauth is how many mails and codes go to
# one address.
ACCOUNT_RATE_LIMITS: dict[str, bool | str] | bool = dict.fromkeys(
    (
        "login",
        "login_failed",
        "signup",
        "change_password",
        "manage_email",
        "reauthenticate",
        "reset_password_from_key",
    ),
    False,
)
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_FORMS = {
    "signup": "marketplace.accounts.forms.SignupForm",
    "login": "marketplace.accounts.forms.LoginForm",
}

AXES_ENABLED = env.bool("AXES_ENABLED", True)
AXES_FAILURE_LIMIT = env.int("AXES_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("AXES_COOLOFF_MINUTES", 15))
# By account and by network address, each on its own; what success forgives is the account's alone (accounts/lockout.py).
AXES_LOCKOUT_PARAMETERS = "marketplace.accounts.lockout.counted_by"
AXES_CLIENT_IP_CALLABLE = "marketplace.core.visitors.address_of"
AXES_RESET_ON_SUCCESS = False
AXES_LOCKOUT_CALLABLE = "marketplace.accounts.lockout.locked_out"
AXES_HTTP_RESPONSE_CODE = 429
AXES_USERNAME_CALLABLE = "marketplace.accounts.lockout.account_name"
AXES_VERBOSE = False
AXES_CLIENT_STR_CALLABLE = "marketplace.accounts.lockout.described"
# Of what was sent along with a failure axes keeps a copy: without this.
AXES_SENSITIVE_PARAMETERS = [
    "username", "ip_address", "login", "email", "code", "credential", "csrfmiddlewaretoken", "oldpassword", "password1",
    "password2", "login_password",
]  # fmt: skip

SESSION_COOKIE_NAME = "sessionid"
SESSION_COOKIE_AGE = 14 * 24 * 3600
# However much it is used, a sign-in of a browser or a program is over after that long.
SIGN_IN_AT_MOST = timedelta(days=env.int("SIGN_IN_AT_MOST_DAYS", 90))
DEVICE_COOKIE_NAME = "device"
THEME_COOKIE_NAME = "theme"
MESSAGES_COOKIE_NAME = "messages"
MESSAGE_STORAGE = "marketplace.core.toasts.Storage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

# --- Second factor -------------------------------------------------------------------------------
# Whether staff must have one before any page of theirs opens.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", True)
# Per currency, in minor units: from where on all that is paid out within a day takes a second factor.
PAYOUT_SECOND_FACTOR_FROM = {"UZS": 5_000_000_00, "KZT": 200_000_00, "USD": 400_00}
MFA_ADAPTER = "marketplace.accounts.factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "WibeStore"
# Of Argon2id for recovery codes: rounds, KiB, lanes; the least that OWASP approves of. Ten are hashed at once when they are
# made (0.2 s), one at each try. Each row keeps its own, so another value concerns new codes only.
RECOVERY_CODES_COST = (2, 19_456, 1)
# A code lives for its half minute and no longer: what was used cannot be used again before it is dead anyway.
MFA_TOTP_TOLERANCE = 0
# A passkey is two factors in one only where its device has asked for a finger or a PIN.
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Nobody signs in before their address is confirmed; and who has a second factor may add another address.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "marketplace.accounts.forms.SecondStepForm",
    "reauthenticate": "marketplace.accounts.forms.CodeAgainForm",
    "activate_totp": "marketplace.accounts.forms.ActivateAppForm",
    "authenticate_webauthn": "marketplace.accounts.forms.PasskeyStepForm",
    "login_webauthn": "marketplace.accounts.forms.PasskeyLoginForm",
    "reauthenticate_webauthn": "marketplace.accounts.forms.PasskeyAgainForm",
}
# Addresses are changed by those who have just said who they are.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Codes tried at one account, from wherever; a right one forgives those before it.
ACCOUNT_RATE_LIMITS["second_factor"] = "20/h/key"  # type: ignore[index]

# --- Ways in by others ----------------------------------------------------------------------------
# Without both values Google is not offered, and no page of it answers.
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = env.str("GOOGLE_CLIENT_SECRET", "")
# Who signs the tokens; where it publishes its addresses and keys follows from it (OpenID Connect Discovery).
GOOGLE_ISSUER = env.str("GOOGLE_ISSUER", "") or "https://accounts.google.com"
# The ids of apps whose ID tokens the API takes besides: Android and iOS have one each.
GOOGLE_APP_CLIENT_IDS = env.list("GOOGLE_APP_CLIENT_IDS", default=[])
SOCIALACCOUNT_ADAPTER = "marketplace.accounts.social.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "google": {
        "provider_class": "marketplace.accounts.google.provider.Google",
        "SCOPE": ["openid", "email", "profile"],
        "OAUTH_PKCE_ENABLED": True,
    },
    "telegram": {"provider_class": "marketplace.accounts.telegram.provider.Telegram"},
}
# Signing in by the bot of "Telegram" below, once @BotFather knows our host (docs/deployment.md).
TELEGRAM_LOGIN = env.bool("TELEGRAM_LOGIN", False)
TELEGRAM_OAUTH_BASE = env.str("TELEGRAM_OAUTH_BASE", "") or "https://oauth.telegram.org"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 8
# Who sends codes by SMS: "eskiz", "console" (a laptop's), or nobody; without one nothing of phones is offered.
SMS_PROVIDER = env.str("SMS_PROVIDER", "")
SMS_PROVIDERS = {
    "console": "marketplace.accounts.sms.console.Console",
    "eskiz": "marketplace.accounts.sms.eskiz.Eskiz",
}
ESKIZ_BASE_URL = (env.str("ESKIZ_BASE_URL", "") or "https://notify.eskiz.uz").rstrip("/")
ESKIZ_EMAIL = env.str("ESKIZ_EMAIL", "")
ESKIZ_PASSWORD = env.str("ESKIZ_PASSWORD", "")
ESKIZ_SENDER = env.str("ESKIZ_SENDER", "4546")
SMS_DAILY_CAP = env.int("SMS_DAILY_CAP", 2000)
PHONE_CODE_LIFE = timedelta(minutes=5)
PHONE_CODE_TRIES = 5
PHONE_CODE_PAUSE = timedelta(seconds=60)  # before another one to the same number

# --- A browser that is new to somebody --------------------------------------------------------------
# Whether people without a second factor show a code from their mail there (accounts/new_browser.py).
NEW_BROWSER_CODE = env.bool("NEW_BROWSER_CODE", True)
MAIL_CODE_LIFE = timedelta(minutes=10)
MAIL_CODE_TRIES = 5
MAIL_CODE_PAUSE = timedelta(seconds=60)

# --- Accounts: a stranger's sign-in, who never confirmed --------------------------------------------
# How long the link "this was not me" of a mail about a new sign-in works.
ALARM_LINK_AGE = timedelta(days=30)
# Who has not confirmed an address by then, and owns nothing, is forgotten.
UNVERIFIED_KEPT = timedelta(days=7)
# How long the audit trail is kept (docs/operations.md); the database lets nothing go before 30 days.
SECURITY_EVENTS_KEPT = timedelta(days=env.int("SECURITY_EVENTS_KEPT_DAYS", 365))
# Whoever said so gets payouts again that long after setting a new password.
PAYOUT_LOCK_AFTER_RESET = timedelta(hours=env.int("PAYOUT_LOCK_HOURS", 24))

# --- Accounts: one's own data ---------------------------------------------------------------------
# How long the file of an export can be fetched, and how often one may be asked for.
DATA_EXPORT_KEPT = timedelta(days=7)
DATA_EXPORT_EVERY = timedelta(days=1)
# How long a person may take it back that they want their account deleted.
DELETION_WAIT = timedelta(days=env.int("DELETION_WAIT_DAYS", 14))
# When it is tried again after something was still open.
DELETION_TRY_AGAIN = timedelta(days=3)

# --- Words and clocks ---------------------------------------------------------------------------
LANGUAGE_CODE = "uz"
LANGUAGES = [("uz", _("Uzbek")), ("ru", _("Russian")), ("en", _("English"))]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_USER_TIME_ZONE = "Asia/Tashkent"

# --- Files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / "media")))
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Files of conversations. No web server may serve this folder: our own view asks who is there.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.str("PRIVATE_ROOT", str(BASE_DIR / "private")), "base_url": None},
    },
}
AWS_STORAGE_BUCKET_NAME = env.str("AWS_STORAGE_BUCKET_NAME", "")
if AWS_STORAGE_BUCKET_NAME:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": env.str("AWS_ACCESS_KEY_ID"),
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY"),
            "bucket_name": AWS_STORAGE_BUCKET_NAME,
            "region_name": env.str("AWS_S3_REGION_NAME", "") or None,
            "endpoint_url": env.str("AWS_S3_ENDPOINT_URL", "") or None,
            "querystring_auth": False,
            "file_overwrite": False,
        },
    }
AWS_PRIVATE_BUCKET_NAME = env.str("AWS_PRIVATE_BUCKET_NAME", "")
if AWS_PRIVATE_BUCKET_NAME:
    STORAGES["private"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": env.str("AWS_ACCESS_KEY_ID"),
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY"),
            "bucket_name": AWS_PRIVATE_BUCKET_NAME,
            "region_name": env.str("AWS_S3_REGION_NAME", "") or None,
            "endpoint_url": env.str("AWS_S3_ENDPOINT_URL", "") or None,
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
# The virus scanner that every file of a stranger is shown to (core/scanning.py): tcp://HOST:PORT or unix:///PATH of clamd.
# Empty: none; "none" says that this is meant.
CLAMD_URL = env.str("CLAMD_URL", "")
CLAMD_TIMEOUT = env.int("CLAMD_TIMEOUT", 10)  # seconds, for one file
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 10

CHAT_ATTACHMENT_MAX_BYTES = 10 * 1024 * 1024
CHAT_EDIT_WINDOW = timedelta(minutes=15)
# Who has not read a message for so long is told of it elsewhere.
CHAT_TELL_AFTER = timedelta(minutes=2)

LISTING_IMAGES_MAX = 5
LISTING_IMAGE_MAX_BYTES = 5 * 1024 * 1024
LISTING_IMAGE_MIN_SIZE = (800, 600)
LISTING_IMAGE_MAX_PIXELS = 40_000_000  # a bound against decompression bombs: 5 MB can unpack to gigabytes

# --- Mail ---------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "WibeStore <no-reply@wibestore.uz>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Where people write to, shown on the contacts page.
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", "support@wibestore.uz")
# Where weaknesses are reported (SECURITY.md, /.well-known/security.txt).
SECURITY_EMAIL = env.str("SECURITY_EMAIL", "security@wibestore.uz")
EMAIL_HOST_NAME = env.str("EMAIL_HOST", "")
MAILERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": EMAIL_HOST_NAME,
            "port": env.int("EMAIL_PORT", 587),
            "username": env.str("EMAIL_HOST_USER", ""),
            "password": env.str("EMAIL_HOST_PASSWORD", ""),
            "use_tls": env.bool("EMAIL_USE_TLS", True),
            "timeout": 10,
        },
    }
    if EMAIL_HOST_NAME
    else {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
}

# --- Telegram -----------------------------------------------------------------------------------
# The bot that tells people things. Without a token there is none, and no page offers it.
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", "")
TELEGRAM_BOT_NAME = env.str("TELEGRAM_BOT_NAME", "").removeprefix("@")
# What Telegram sends along with each call of ours, so that nobody else can make one.
TELEGRAM_WEBHOOK_SECRET = env.str("TELEGRAM_WEBHOOK_SECRET", "")
TELEGRAM_API_BASE = env.str("TELEGRAM_API_BASE", "") or "https://api.telegram.org"

# --- Trades -------------------------------------------------------------------------------------
# All waits of a trade; docs/operations.md says what each one means for people.
ESCROW_PAYMENT_WINDOW = timedelta(minutes=env.int("ESCROW_PAYMENT_MINUTES", 30))
ESCROW_HAND_OVER_WINDOW = timedelta(hours=env.int("ESCROW_HAND_OVER_HOURS", 24))
ESCROW_ACCEPT_WINDOW = timedelta(hours=env.int("ESCROW_ACCEPT_HOURS", 24))
ESCROW_RELEASE_DELAY = timedelta(hours=env.int("ESCROW_RELEASE_HOURS", 24))

# --- Plans --------------------------------------------------------------------------------------
# Prices and fees stand in the plans themselves (admin); these are the waits of docs/operations.md.
SUBSCRIPTION_REMINDER = timedelta(days=env.int("SUBSCRIPTION_REMINDER_DAYS", 3))
SUBSCRIPTION_GRACE = timedelta(days=env.int("SUBSCRIPTION_GRACE_DAYS", 3))
# Who looks after people with Pro; the contact is an address, a mailbox, a number or a Telegram name. Nobody without a name.
PERSONAL_MANAGER = {
    "name": env.str("PERSONAL_MANAGER_NAME", ""),
    "contact": env.str("PERSONAL_MANAGER_CONTACT", ""),
}

MODERATION_TARGET = timedelta(hours=24)
MODERATION_AUTO_APPROVE_AFTER = timedelta(hours=48)

# --- Payments -----------------------------------------------------------------------------------
# Providers by code; a PaymentMethod row with that code is offered when its provider stands here.
PAYMENT_PROVIDERS: dict[str, str] = {}
# Addresses and credentials of each, by code.
PAYMENT_CONFIG: dict[str, dict[str, str]] = {}
SANDBOX_SECRET = env.str("SANDBOX_SECRET", SAMPLE_SANDBOX_SECRET)
# Where the sandbox gateway finds our webhooks: our own address, over real HTTP.
SANDBOX_WEBHOOK_BASE = env.str("SANDBOX_WEBHOOK_BASE", "")
DEPOSIT_MIN = 1_000_00
DEPOSIT_MAX = 50_000_000_00
# Per currency, in minor units: one payout at least and at most, all of a day, and from where on two people approve.
WITHDRAWAL_LIMITS = {
    "UZS": (10_000_00, 20_000_000_00),
    "KZT": (500_00, 1_000_000_00),
    "USD": (5_00, 2_000_00),
}
WITHDRAWAL_DAILY = {"UZS": 50_000_000_00, "KZT": 2_500_000_00, "USD": 5_000_00}
PAYOUT_TWO_PERSON_FROM = {"UZS": 5_000_000_00, "KZT": 200_000_00, "USD": 400_00}
# By when a payout is promised, by the plan of the person who is paid.
PAYOUT_HOURS = {"free": 72, "premium": 48, "pro": 24}
# How the statement files of providers differ from our own format (docs/operations.md, "A provider's statement"), by code.
PAYMENT_STATEMENTS: dict[str, dict[str, Any]] = {
    "payme": {
        "columns": {"id": "id", "time": "time", "amount": "amount", "state": "state"},
        "currency": "UZS",
        "unit": "minor",
        "time": "ms",
        "states": {"1": "open", "2": "captured", "-1": "cancelled", "-2": "refunded"},
    },
}
# How long a payout card that is not the first waits before it can be used.
PAYOUT_CARD_COOLDOWN_HOURS = env.int("PAYOUT_CARD_COOLDOWN_HOURS", 24)

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "marketplace.core.api.errors.envelope",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.core.api.parsers.StrictJSONParser"],
    # The first one's challenge is what a 401 answers with.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.core.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "marketplace.core.api.permissions.IsVerified",
        "marketplace.accounts.permissions.StaffHasSecondFactor",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "marketplace.core.api.throttling.VisitorThrottle",
        "marketplace.core.api.throttling.PersonThrottle",
    ],
    "DEFAULT_PAGINATION_CLASS": "marketplace.core.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "marketplace.core.api.filters.Ordering",
        "marketplace.core.api.filters.Expansion",
    ],
    "URL_FORMAT_OVERRIDE": None,
}

JWT_SECRET_KEY = env.str("JWT_SECRET_KEY", "")
SIMPLE_JWT = {
    "SIGNING_KEY": JWT_SECRET_KEY or SECRET_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("JWT_ACCESS_TOKEN_LIFETIME", 15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(minutes=env.int("JWT_REFRESH_TOKEN_LIFETIME", 10080)),
    # Another service that signs with the same key gets nowhere here, and ours nowhere there.
    "ISSUER": "wibestore",
    "AUDIENCE": "wibestore-api",
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    # A new password ends all tokens that were given for the old one, by a mark of ours (core/password_marks.py): the
    # library's is an MD5.
    "CHECK_REVOKE_TOKEN": False,  # nosec B105
}

# --- Security -----------------------------------------------------------------------------------
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    # The nonces are for the administration's own pages; a page that asks for none gets a policy without one.
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
if AWS_STORAGE_BUCKET_NAME and env.str("MEDIA_HOST", ""):
    SECURE_CSP["img-src"].append(env.str("MEDIA_HOST"))
if GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET:
    # The button's form is answered with the way to Google's page, which browsers count as where the form leads.
    SECURE_CSP["form-action"].append(GOOGLE_ISSUER)
if TELEGRAM_LOGIN and TELEGRAM_BOT_TOKEN and TELEGRAM_BOT_NAME:
    SECURE_CSP["form-action"].append(TELEGRAM_OAUTH_BASE)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Defences -----------------------------------------------------------------------------------
# How often one person or one network address may do something, by scope: pages, API and sockets share the counts
# (core/limits.py). A scope that is not named is free. Sign-in has the lock of django-axes besides.
RATE_LIMITS = {
    "authentication": "10/minute",
    "api": "100/minute",
    "register": "10/hour",  # by the API, whose answer tells whether an address is known
    "refresh": "30/minute",  # no guessing: a token is not a password, and a mobile network shares an address
    "ticket": "60/minute",
    # Codes by SMS: to a number, for a person, from an address; and all that are paid for, against those who send
    # thousands to numbers that earn them something.
    "mail_code": "10/hour",  # to a person; who asks for one has shown their password
    "sms_number": "5/hour",
    "sms_number_daily": "10/day",
    "sms_person": "5/hour",
    "sms_address": "20/hour",
    "sms_all": f"{SMS_DAILY_CAP}/day",
}
# Where people prove who they are: sign-in, sign-up, reset, links once more, second factor, the question for the password.
AUTHENTICATION_PAGES = r"/(accounts/(?!logout/|sms/)|admin/login/|admin/password_change/)"
# Networks where our own proxies stand: this machine, and Docker's.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[]) or ["127.0.0.0/8", "::1/128", "172.16.0.0/12"]
# What no page of ours uses, and so nothing that is slipped into one may.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "geolocation",
        "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip

# --- Who is talked to ----------------------------------------------------------------------------
# Each of the three settings makes OUTBOUND of what it has set up (project/settings/outbound.py), and of these besides: host,
# host:port or host:*, parted by commas.
OUTBOUND_EXTRA_HOSTS = env.list("OUTBOUND_EXTRA_HOSTS", default=[])
# Whether connections of libraries are held to it too: "refuse", "tell" (the log only), or empty. Calls by core/http.py are.
OUTBOUND_GUARD = ""
SENTRY_DSN = env.str("SENTRY_DSN", "")

# --- Logging ------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
# Where production sends each line besides: syslog+tls://HOST:6514?ca=FILE (core/log_shipping.py).
LOG_SHIP_URL = env.str("LOG_SHIP_URL", "")
# What stands before the part of an address that opens something: Kaspi's calls, and links of mails. No line of a log shows that
# part (core/scrub.py), and deploy/nginx.conf hides it too.
SECRETS_IN_ADDRESSES = "|".join(
    (
        "/webhooks/kaspi",
        "/password/reset/key",
        "/accounts/confirm-email",
        "/me/not-me",
        "/notifications/unsubscribe",
        "/accounts/sms",
    )
)
DEFAULT_EXCEPTION_REPORTER = "marketplace.core.reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "marketplace.core.reports.ReportFilter"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "marketplace.core.logs.RequestIdFilter"},
        "secrets": {"()": "marketplace.core.logs.SecretsFilter"},
    },
    "formatters": {
        "line": {
            "()": "marketplace.core.logs.LineFormatter",
            "format": "%(asctime)s [%(levelname)s] %(name)s: %(message)s [%(request_id)s]",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "secrets"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "marketplace": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        "tasks": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        "celery": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "axes": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": ["console"], "propagate": False},  # at uvicorn's own level
    },
}
