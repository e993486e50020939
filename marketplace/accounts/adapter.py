"""Where allauth meets our people: writes go through our services, mail through our durable jobs."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from marketplace.accounts import services
from marketplace.accounts.models import User
from marketplace.core import jobs


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: ARG002, FBT001, FBT002
        user.email = form.cleaned_data["email"]
        user.full_name = form.cleaned_data.get("full_name", "")
        return services.register(
            user=user,
            language=get_language() or settings.LANGUAGE_CODE,
            password=form.cleaned_data.get("password1"),
        )

    def set_password(self, user: User, password: str) -> None:
        services.change_password(user=user, password=password)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> Any:
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            services.mark_verified(user_id=email_address.user_id)
        return confirmed

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail: a mail server that is down must not fail a sign-up."""
        plain = {key: str(value) for key, value in context.items() if key in _SENT}
        user = context.get("user")
        plain["name"] = user.display_name if user else ""
        language = (user.language if user else None) or get_language() or settings.LANGUAGE_CODE
        jobs.enqueue(
            "tasks.notifications.send_account_email",
            template=template_prefix.rsplit("/", 1)[-1],
            email=email,
            language=language,
            context=plain,
        )


# What the mail templates may use; the rest of allauth's context (request, user, site) does not fit into a job.
_SENT = {"activate_url", "password_reset_url", "code", "key", "email", "signup_url", "uid", "ip"}
