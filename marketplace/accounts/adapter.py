"""Where allauth meets our people: writes go through our services, mail through our durable jobs."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context as allauth_context
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from marketplace.accounts import confirmation, devices, new_browser, selectors, services, sign_ins, trail
from marketplace.accounts.google import openid
from marketplace.accounts.models import User
from marketplace.accounts.telegram import signed
from marketplace.accounts.trail import Kind
from marketplace.core import jobs
from marketplace.core.api.errors import is_api


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: ARG002, FBT001, FBT002
        user.email = form.cleaned_data["email"]
        user.full_name = form.cleaned_data.get("full_name", "")
        return services.register(
            user=user,
            language=get_language() or settings.LANGUAGE_CODE,
            password=form.cleaned_data.get("password1"),
        )

    def get_login_stages(self) -> list[str]:
        """allauth's, and ours once the address is known to be confirmed."""
        stages: list[str] = super().get_login_stages()
        after = stages.index("allauth.account.stages.EmailVerificationStage") + 1
        return [*stages[:after], "marketplace.accounts.new_browser_views.NewBrowserStage", *stages[after:]]

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """A toast for the next page; programs have none, and no cookie to keep it in."""
        if not is_api(request):
            super().add_message(request, *args, **kwargs)

    def set_password(self, user: User, password: str) -> None:
        asking = allauth_context.request
        # Their own browser stays; whoever comes by a link of the mail is signed in nowhere.
        is_here = asking is not None and asking.user == user
        services.change_password(
            user=user,
            password=password,
            here=sign_ins.current(asking) if is_here else None,
            told=Kind.PASSWORD_CHANGED if is_here else Kind.PASSWORD_RESET,
        )
        if is_here:
            devices.trust(user=user, request=asking)
        elif asking is not None and not is_api(asking):
            new_browser.note_mailbox(asking, user)  # they came by the link of a mail

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """allauth's, and a page of ours for those who come by an account elsewhere, or have nothing at all."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and (not ways or _is_offered(selectors.ways_in(user))):
            ways.append({"id": "accounts:confirm", "description": "", "url": reverse("accounts:confirm")})
        return ways

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """allauth lets those pass who have neither password nor factor: a stolen session would add both."""
        is_required = bool(super().is_reauthentication_required(app=app, **kwargs))
        asking = allauth_context.request
        if is_required and asking is not None and asking.user.is_authenticated:
            has_flows = bool(get_reauthentication_flows(asking.user))
            if not has_flows and confirmation.is_needed(asking):
                raise ReauthenticationRequired
        return is_required

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: Any) -> Any:
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            services.mark_verified(user_id=email_address.user_id)
            if not is_api(request):
                new_browser.note_mailbox(request, email_address.user)
        return confirmed

    @transaction.atomic
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail: a mail server that is down must not fail a sign-up. What opens the account goes as a bare token."""
        template = template_prefix.rsplit("/", 1)[-1]
        user = context.get("user")
        if user is not None and template in {"email_confirmation", "email_confirmation_signup"}:
            jobs.enqueue(
                "tasks.notifications.send_email_verification", user_id=str(user.pk), token=context["key"]
            )
        elif user is not None and template == "password_reset_key":
            trail.record(Kind.RESET_ASKED, user=user)
            jobs.enqueue(
                "tasks.notifications.send_password_reset_email",
                user_id=str(user.pk),
                token=f"{context['uid']}-{context['key']}",
            )
        else:
            if template == "unknown_account":
                trail.record(Kind.RESET_ASKED, user=None, tried=trail.digest(email))
            plain = {key: str(value) for key, value in context.items() if key in _SENT}
            jobs.enqueue(
                "tasks.notifications.send_account_email",
                template=template,
                email=email,
                language=(user.language if user else None) or get_language() or settings.LANGUAGE_CODE,
                context={**plain, "name": user.display_name if user else ""},
            )


def _is_offered(ways: selectors.WaysIn) -> bool:
    """Whether one of the person's accounts elsewhere can be asked now."""
    offered = {"google": openid.is_on(), "telegram": signed.is_on()}
    return any(offered.get(account.provider) for account in ways.accounts)


# What the other mails' templates may use; the rest of allauth's context (request, user, site) does not fit into a job.
_SENT = {"password_reset_url", "signup_url", "email", "ip"}
