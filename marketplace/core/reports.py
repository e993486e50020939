"""Django's reports of errors (the page of DEBUG, a mail to the developers) without what is secret."""

from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from marketplace.core import scrub


class ReportFilter(SafeExceptionReporterFilter):
    """By names and forms, in DEBUG as well: nobody has to remember to mark a view or a variable."""

    def get_safe_settings(self) -> dict[str, Any]:
        return {name: scrub.value(name, value) for name, value in super().get_safe_settings().items()}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {
            name: scrub.value(name, value) for name, value in super().get_safe_request_meta(request).items()
        }

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), scrub.HIDDEN)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict(scrub.data(super().get_post_parameters(request)))

    def get_traceback_frame_variables(self, request: HttpRequest, tb_frame: Any) -> ItemsView[str, Any]:
        found = super().get_traceback_frame_variables(request, tb_frame)
        return {name: _shown(name, value) for name, value in found}.items()


class Reporter(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        told: dict[str, Any] = super().get_traceback_data()
        if "request_GET_items" in told:
            told["request_GET_items"] = scrub.data(dict(told["request_GET_items"])).items()
        for name in ("request_insecure_uri", "exception_value", "exception_notes", "raising_view_name"):
            if told.get(name):
                told[name] = scrub.text(str(told[name]))
        return told

    def get_traceback_html(self) -> SafeString:
        return SafeString(scrub.forms(super().get_traceback_html()))  # nosec B703 (stars for words of Django's own page)

    def get_traceback_text(self) -> SafeString:
        return SafeString(scrub.text(super().get_traceback_text()))  # nosec B703 (plain text)


class _As:
    """Something, by the words it is shown with."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, (str, bytes, dict, list, tuple, set, frozenset)) or value is None:
        return scrub.value(name, value)
    if scrub.is_secret(name):
        return scrub.HIDDEN
    try:
        words = repr(value)
    except Exception:  # noqa: BLE001 (whatever it is, the report goes on)
        return scrub.HIDDEN
    clean = scrub.text(words)
    return value if clean == words else _As(clean)
