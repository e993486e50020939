"""The list of those the application may talk to, made of the settings that name them (marketplace/core/outside.py asks it).

Whoever is not set up is not on it. `who` is how the table "What the application talks to" in docs/security.md calls them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from marketplace.core.outside import Place, named_by_operator, place

# What accounts.google.com publishes for servers: where codes are exchanged, and its keys.
GOOGLE = "https://accounts.google.com"
_PUBLISHED_BY_GOOGLE = ("https://oauth2.googleapis.com", "https://www.googleapis.com")


def places(values: Mapping[str, Any]) -> tuple[Place, ...]:
    """`values`: all settings, by name. Raises ImproperlyConfigured for an address that is none."""
    try:
        return tuple(dict.fromkeys([*_ours(values), *_others(values), *_extra(values)]))
    except ValueError as error:
        raise ImproperlyConfigured(f"Whom the application talks to: {error}.") from error


def _ours(values: Mapping[str, Any]) -> Iterator[Place]:
    """What the operator runs or rents: it may lie on a private network."""
    for config in values["DATABASES"].values():
        hosts = [one for one in str(config.get("HOST") or "").split(",") if one and not one.startswith("/")]
        for host in hosts:
            yield place(
                "PostgreSQL", f"postgresql://{_bracketed(host)}:{config.get('PORT') or 5432}", is_ours=True
            )
    for name in ("REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        for url in str(values[name] or "").split(";"):
            if "://" in url and not url.startswith(("memory:", "unix:", "redis+socket:", "filesystem:")):
                yield place("Redis", url, is_ours=True)
    options = values["MAILERS"]["default"].get("OPTIONS", {})
    if options.get("host"):
        yield Place("mail server", "smtp", str(options["host"]).lower(), int(options["port"]), is_ours=True)
    if values["CLAMD_URL"].startswith("tcp:"):
        yield place("clamd", values["CLAMD_URL"], is_ours=True)
    if values["LOG_SHIP_URL"]:
        yield place("log server", values["LOG_SHIP_URL"], is_ours=True)


def _others(values: Mapping[str, Any]) -> Iterator[Place]:
    """Who is elsewhere. A name of theirs that leads into our own network is not followed."""
    if values["GOOGLE_CLIENT_ID"] and values["GOOGLE_CLIENT_SECRET"]:
        issuer = values["GOOGLE_ISSUER"]
        for url in (issuer, *(_PUBLISHED_BY_GOOGLE if issuer == GOOGLE else ())):
            yield place("Google", url)
    if values["SMS_PROVIDER"] == "eskiz":
        yield place("Eskiz", values["ESKIZ_BASE_URL"])
    if values["TELEGRAM_BOT_TOKEN"]:
        yield place("Telegram", values["TELEGRAM_API_BASE"])
    for config in values["PAYMENT_CONFIG"].values():
        if config.get("api_url"):  # the other addresses of a provider are for browsers
            yield place("payment providers", config["api_url"])
    for storage in values["STORAGES"].values():
        if storage["BACKEND"].endswith("S3Storage"):
            yield from _buckets(storage["OPTIONS"])
    if values["SENTRY_DSN"]:
        yield place("Sentry", values["SENTRY_DSN"])


def _buckets(options: Mapping[str, Any]) -> Iterator[Place]:
    """A store of one's own at its address; Amazon's by the names that its library makes of bucket and region."""
    if options["endpoint_url"]:
        yield place("object store", options["endpoint_url"], is_ours=True)
        return
    bucket = str(options["bucket_name"]).lower()
    before = (
        "" if "." in bucket else f"{bucket}."
    )  # certificates cover one label, so other names stand in the path
    for region in ("", f".{options['region_name'] or 'us-east-1'}"):
        yield place("object store", f"https://{before}s3{region}.amazonaws.com")


def _extra(values: Mapping[str, Any]) -> Iterator[Place]:
    for entry in values["OUTBOUND_EXTRA_HOSTS"]:
        yield named_by_operator("the operator's own", entry)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
