"""Mails to people, one function per occasion. Each runs in a job: a mail server's trouble goes up, and the job tries again."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import get_emailconfirmation_model
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from marketplace.accounts import alarms, new_browser
from marketplace.accounts.facts import (
    DeletionAsked,
    DeletionPutOff,
    DeletionTakenBack,
    ExportReady,
    FactorAdded,
    FactorRemoved,
    PersonVerified,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SignedInAnew,
    WayInAdded,
    WayInRemoved,
)
from marketplace.accounts.models import User
from marketplace.core import encryption, jobs
from marketplace.core.countries import place_of
from marketplace.notifications import clock, mail, selectors
from marketplace.notifications.groups import COMPULSORY, group_of, is_urgent
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.letter_parts import facts_of, step_of, template_of
from marketplace.notifications.models import Channel, Notification, NotificationSetting
from marketplace.notifications.services import preferences
from marketplace.notifications.services.telling import MAIL_TASK, TELEGRAM_TASK, notify

logger = logging.getLogger(__name__)

_place = lazy(place_of, str)  # in the language of whoever is told
WELCOME_TASK = "tasks.notifications.send_welcome_email"


def to_person(
    *,
    user: User,
    template: str,
    subject: str,
    context: dict[str, Any],
    unsubscribe: str = "",
    message_id: str = "",
    setting: NotificationSetting | None = None,
) -> bool:
    """Mail a person in their language, with their phrase. Returns whether it went.

    `unsubscribe` is the group that the mail can be stopped for; nothing for what is always sent. An address that has
    refused us for good is left in peace until its owner has seen to it; one that refuses now is noted, and they are told
    on the site. Raises what `mail.send` raises for the rest.
    """
    setting = setting or selectors.setting_of(user)
    if setting.bounced_address == user.email:
        logger.info("no mail to person %s: their address refuses us", user.pk)
        return False
    out = ""
    if unsubscribe:
        token = selectors.unsubscribe_token(user.pk, unsubscribe)
        out = settings.SITE_URL + reverse("notifications:unsubscribe", args=[token])
    with translation.override(user.language), timezone.override(user.zone):
        try:
            mail.send(
                template=template,
                to=user.email,
                subject=subject,
                context={**context, **_person_in_head(user, setting)},
                unsubscribe_url=out,
                message_id=message_id,
            )
        except mail.AddressRefused as error:
            _refused(user, error)
            return False
    logger.info("mail %s to person %s", template, user.pk)
    return True


def _person_in_head(user: User, setting: NotificationSetting) -> dict[str, Any]:
    """What shows that a mail is ours: the phrase, or where to choose one."""
    return {
        "is_known": True,
        "phrase": setting.phrase if user.is_verified else "",
        "preferences_url": settings.SITE_URL + reverse("notifications:preferences"),
    }


def _refused(user: User, error: mail.AddressRefused) -> None:
    logger.warning("the address of person %s refuses mail: %s", user.pk, error)
    with transaction.atomic():
        if preferences.note_bounce(user=user, address=user.email, at=timezone.now()):
            notify(
                user=user,
                kind="email_bounced",
                context={"address": user.email},
                action_url=reverse("notifications:preferences"),
            )


# --- Notifications ----------------------------------------------------------------------------------


def email(*, notification_id: UUID) -> None:
    """Bring a notification to Telegram and to the mailbox, as far as its reader wants it there; once.

    What is not urgent waits for the end of their quiet hours, and for the daily summary where they have one.
    """
    notification = Notification.objects.select_related("user", "type").filter(pk=notification_id).first()
    if notification is None or notification.emailed_at or not notification.user.is_active:
        return
    kind = notification.data["kind"]
    # First, and apart: a mail server that is down must not keep it back.
    _relay_to_telegram(notification)
    setting = selectors.setting_of(notification.user)
    is_optional = kind not in COMPULSORY
    if (is_optional and setting.digest_at) or not selectors.wants(notification, Channel.EMAIL):
        return
    if wait_for_morning(notification, setting, task=MAIL_TASK, at=timezone.now()):
        return
    if to_person(
        user=notification.user,
        template=template_of(kind),
        subject=notification.title,
        context=letter_of(notification),
        unsubscribe=group_of(kind) if is_optional else "",
        message_id=f"notification-{notification.pk}",
        setting=setting,
    ):
        Notification.objects.filter(pk=notification.pk).update(emailed_at=timezone.now())


def _relay_to_telegram(notification: Notification) -> None:
    is_told_there = settings.TELEGRAM_BOT_TOKEN and KINDS[notification.data["kind"]].by_telegram
    if is_told_there and not notification.telegrammed_at and selectors.telegram_of(notification.user):
        jobs.enqueue(TELEGRAM_TASK, key=f"telegram:{notification.pk}", notification_id=str(notification.pk))


def letter_of(notification: Notification) -> dict[str, Any]:
    """What the templates of notifications say, in their reader's language."""
    kind = notification.data["kind"]
    words = KINDS[kind]
    with translation.override(notification.user.language):
        return {
            "title": notification.title,
            "text": notification.message,
            "tone": words.tone,
            "name": notification.user.display_name,
            "action": str(words.action),
            "action_url": settings.SITE_URL + notification.action_url if notification.action_url else "",
            "facts": facts_of(notification.data),
            "steps": step_of(kind),
            "alarm_url": _alarm_url(notification),
            "is_country_new": bool(notification.data.get("is_country_new")),
        }


def _alarm_url(notification: Notification) -> str:
    """Behind it the reader says that a sign-in was not theirs. In the mail only: who holds the session must not press it."""
    device_id = notification.data.get("device_id")
    if not device_id:
        return ""
    return settings.SITE_URL + reverse("accounts:not_me", args=[alarms.token_of(device_id)])


def wait_for_morning(
    notification: Notification, setting: NotificationSetting, *, task: str, at: datetime
) -> bool:
    """Whether the reader's quiet hours hold this back; then a job for their end is written."""
    until = clock.quiet_until(
        at, zone=notification.user.zone, begins=setting.quiet_from, ends=setting.quiet_until
    )
    if until is None or is_urgent(notification.data["kind"]):
        return False
    data = {"notification_id": str(notification.pk)}
    kwargs: dict[str, Any] = (
        {"user_id": str(notification.user_id), "notification_data": data} if task == MAIL_TASK else data
    )
    # By the hour it waits for: run twice, it waits once; and it may wait again when the hours were moved meanwhile.
    jobs.enqueue(task, key=f"{task}:{notification.pk}:{until:%Y%m%d%H%M}", delay=until - at, **kwargs)
    return True


# --- Of the account ---------------------------------------------------------------------------------


def welcome(fact: PersonVerified) -> None:
    """Somebody's address is confirmed: greet them and say where to begin."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is not None:
        notify(user=user, kind="welcome", action_url="/")
        jobs.enqueue(WELCOME_TASK, key=f"welcome:{user.pk}", user_id=str(user.pk))


def send_welcome(*, user_id: UUID) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user is not None and to_person(
        user=user,
        template="welcome",
        subject="",
        context={"name": user.display_name},
        message_id=f"welcome-{user.pk}",
    )


def warn_of_sign_in(fact: SignedInAnew) -> None:
    """Somebody signed in where they have not been before: if it was not them, they must know now."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is not None:
        notify(
            user=user,
            kind="new_sign_in",
            context={
                "device": fact.device or _("An unknown device"),
                "place": _place(fact.address) if fact.address else "—",
                "network": fact.address,
                "is_country_new": "yes" if fact.is_country_new else "",
                "time": fact.at,
                "device_id": str(fact.device_id),
            },
            action_url=reverse("account_change_password"),
        )


def tell_of_factor(fact: FactorAdded | FactorRemoved | RecoveryCodesRenewed | RecoveryCodeUsed) -> None:
    """What opens the account has changed: if it was not them, they must know now."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is None:
        return
    kind, context = "account_codes_renewed", dict[str, Any]()
    match fact:
        case FactorAdded():
            kind, context = "account_factor_added", {"factor": _factor(user, fact.factor)}
        case FactorRemoved():
            kind, context = "account_factor_removed", {"factor": _factor(user, fact.factor)}
        case RecoveryCodeUsed():
            kind, context = "account_code_used", {"count": fact.left}
    notify(user=user, kind=kind, context=context, action_url=reverse("mfa_index"))


def tell_of_data(fact: ExportReady | DeletionAsked | DeletionTakenBack | DeletionPutOff) -> None:
    """A copy of all their data is ready, or their account is to be deleted: if it was not them, they must know now."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is None:
        return
    privacy = reverse("accounts:privacy")
    match fact:
        case ExportReady():
            notify(
                user=user, kind="account_export_ready", context={"deadline": fact.until}, action_url=privacy
            )
        case DeletionAsked():
            notify(
                user=user,
                kind="account_deletion_asked",
                context={"deadline": fact.due_at},
                action_url=privacy,
            )
        case DeletionPutOff():
            notify(
                user=user,
                kind="account_deletion_put_off",
                context={"deadline": fact.due_at},
                action_url=privacy,
            )
        case DeletionTakenBack():
            notify(user=user, kind="account_deletion_taken_back", action_url="/me/listings/")


def _factor(user: User, name: str) -> str:
    with translation.override(user.language):
        if not name:
            return _("The authenticator app")
        return _("The passkey “%(name)s”") % {"name": name}


def tell_of_way(fact: WayInAdded | WayInRemoved) -> None:
    """Something opens the account, or opens it no longer."""
    user = User.objects.filter(pk=fact.user_id, is_active=True).first()
    if user is None:
        return
    kind = "account_way_added" if isinstance(fact, WayInAdded) else "account_way_removed"
    with translation.override(user.language):
        way = {"google": "Google", "telegram": "Telegram", "phone": _("A code by SMS")}[fact.way]
    context = {"way": f"{way} ({fact.name})" if fact.name else way}
    notify(user=user, kind=kind, context=context, action_url=reverse("accounts:ways"))


def send_verification(*, user_id: UUID, token: str) -> None:
    """Mail the link that confirms an address: to that address, which may be none of the person's yet. No phrase in it.

    A key that has run out, or whose address is confirmed by now, needs no mail.
    """
    confirmation = get_emailconfirmation_model().from_key(token)
    if confirmation is None or confirmation.email_address.user_id != user_id:
        return
    user = confirmation.email_address.user
    link = settings.SITE_URL + reverse("account_confirm_email", args=[token])
    _to_address(
        template="email_verification",
        to=confirmation.email_address.email,
        user=user,
        context={"activate_url": link, "name": user.display_name},
    )


def send_password_reset(*, user_id: UUID, token: str) -> None:
    """Mail the link that sets a new password; `token` is "<uidb36>-<key>". It stands nowhere but in the mail."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    uid, _dash, key = token.partition("-")
    link = settings.SITE_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    _to_address(
        template="password_reset",
        to=user.email,
        user=user,
        context={"password_reset_url": link, "name": user.display_name},
    )


def send_sign_in_code(*, code_id: UUID, secret: str) -> None:
    """Mail the code with which somebody goes on signing in, `secret` being its ciphertext; nothing once it is used or too old."""
    row = new_browser.pending(code_id)
    if row is None or row.expires_at <= timezone.now() or not row.user.is_active:
        return
    user = row.user
    _to_address(
        template="sign_in_code",
        to=user.email,
        user=user,
        context={
            "code": encryption.decrypt(secret),
            "password_reset_url": settings.SITE_URL + reverse("account_reset_password"),
            "name": user.display_name,
        },
    )


def account_email(*, template: str, to: str, language: str, context: dict[str, Any]) -> None:
    """Send another of the account's own mails: templates/emails/<template>."""
    user = User.objects.alive().filter(email=to.lower(), is_active=True).first()
    if user is not None:
        _to_address(template=template, to=to, user=user, context=context)
        return
    with translation.override(language):
        try:
            mail.send(template=template, to=to, subject="", context=context)
        except mail.AddressRefused as error:
            logger.warning("an address nobody has yet refuses mail: %s", error)


def _to_address(*, template: str, to: str, user: User, context: dict[str, Any]) -> None:
    """What the person has just asked for is tried even where the address refused us before; if it goes, that is over.

    The phrase goes to nobody's mailbox but the one that is known to be theirs.
    """
    setting = selectors.setting_of(user)
    is_theirs = to.lower() == user.email and user.is_verified
    head = _person_in_head(user, setting) if is_theirs else {}
    with translation.override(user.language):
        try:
            mail.send(template=template, to=to, subject="", context={**context, **head})
        except mail.AddressRefused as error:
            if to.lower() == user.email:
                _refused(user, error)
            return
    if setting.bounced_address == to.lower():
        preferences.forget_bounce(user_id=user.pk)
