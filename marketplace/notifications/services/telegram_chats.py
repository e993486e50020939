"""People and their chats with our bot: tied by a code, told there, untied."""

import hashlib
import html
import logging
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.core import jobs
from marketplace.core.cache import bump, person
from marketplace.notifications import selectors, telegram
from marketplace.notifications.errors import TelegramOff, TooManyCodes
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Channel, Notification, TelegramCode, TelegramLink, TelegramUpdate
from marketplace.notifications.services.letters import wait_for_morning
from marketplace.notifications.services.telling import TELEGRAM_TASK, notify

logger = logging.getLogger(__name__)

SAY_TASK = "tasks.notifications.say_in_telegram"
CODE_LIVES = timedelta(minutes=10)
CODES = 5  # in that time, of one person
TRIES = 10  # in that time, of one chat
LONGEST = 4096  # of a message, in UTF-16 units as Telegram counts

# What the bot says, by the word under which a job is told to say it.
SAYINGS: dict[str, str | Promise] = {
    "linked": _("Done: notifications of WibeStore come here from now on. /stop ends it."),
    "wrong_code": _("This link is too old or was used already. Ask for a new one in the settings of notifications."),
    "hello": _("I bring notifications of WibeStore. To begin, press “Connect Telegram” in the settings on the site."),
    "stopped": _("Done: nothing more comes here. You can connect again in the settings of notifications."),
    "not_linked": _("No account is connected to this chat."),
}  # fmt: skip


# --- Tying and untying ------------------------------------------------------------------------------


@transaction.atomic
def make_code(*, user: User, at: datetime) -> str:
    """A code that ties a chat to this person, once, within ten minutes. Those before it are dead.

    Raises TelegramOff where there is no bot, TooManyCodes after five in ten minutes.
    """
    if not telegram.is_on():
        raise TelegramOff("no bot")
    User.objects.select_for_update().get(pk=user.pk)  # one after the other, so that the limit counts
    codes = TelegramCode.objects.filter(user=user)
    if codes.filter(created_at__gt=at - CODE_LIVES).count() >= CODES:
        raise TooManyCodes(str(user.pk))
    codes.filter(used_at__isnull=True).update(expires_at=at)
    code = secrets.token_urlsafe(24)
    TelegramCode.objects.create(user=user, code_hash=_hash(code), expires_at=at + CODE_LIVES, created_at=at)
    return code


@transaction.atomic
def unlink(*, user: User) -> bool:
    """Returns whether there was a chat."""
    bump(person(user.pk))
    link = TelegramLink.objects.filter(user=user).first()
    if link is None:
        return False
    link.delete()
    _say(link.chat_id, "stopped", user.language)
    return True


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


@transaction.atomic
def _link(*, code: str, chat_id: int, name: str, at: datetime) -> User | None:
    """Tie the chat to whoever made this code. The row of the code decides between two who use it at once."""
    used = TelegramCode.objects.filter(code_hash=_hash(code), used_at__isnull=True, expires_at__gt=at)
    found = used.select_related("user").first()
    if found is None or not found.user.is_active or not used.update(used_at=at):
        return None
    user = found.user
    for other in TelegramLink.objects.filter(chat_id=chat_id).exclude(user=user).select_related("user"):
        loser = other.user  # its key goes with the row
        other.delete()
        _tell_lost(loser)
    TelegramLink.objects.update_or_create(
        user=user, defaults={"chat_id": chat_id, "name": name, "linked_at": at}
    )
    notify(
        user=user,
        kind="telegram_linked",
        context={"name": name},
        action_url=reverse("notifications:telegram"),
    )
    return user


def _tell_lost(user: User) -> None:
    notify(user=user, kind="telegram_lost", action_url=reverse("notifications:telegram"))


@transaction.atomic
def _forget_chat(chat_id: int, *, is_told: bool) -> User | None:
    """Untie a chat from its side. `is_told`: the person did not ask for it, so they hear of it on the site."""
    link = TelegramLink.objects.filter(chat_id=chat_id).select_related("user").first()
    if link is None:
        return None
    user = link.user  # its key goes with the row
    link.delete()
    bump(person(user.pk))
    if is_told:
        _tell_lost(user)
    return user


# --- What comes from Telegram -----------------------------------------------------------------------


@transaction.atomic
def receive(update: Any, *, at: datetime) -> bool:
    """Deal with one update, once, however often it comes. Returns whether it was new.

    Only private chats count: in a group everybody would read along. What is no update we know is left alone.
    """
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        return False
    _row, is_new = TelegramUpdate.objects.get_or_create(update_id=number, defaults={"received_at": at})
    if not is_new:
        return False
    member, message = update.get("my_chat_member"), update.get("message")
    if isinstance(member, dict):
        _member_changed(member)
    elif isinstance(message, dict):
        _message_came(message, at=at)
    return True


def _member_changed(member: dict[str, Any]) -> None:
    """Who blocks the bot has said it clearly enough."""
    new = member.get("new_chat_member")
    chat_id = _private_chat(member)
    if chat_id is not None and isinstance(new, dict) and new.get("status") in {"kicked", "left"}:
        _forget_chat(chat_id, is_told=True)


def _message_came(message: dict[str, Any], *, at: datetime) -> None:
    chat_id, text = _private_chat(message), message.get("text")
    if chat_id is None or not isinstance(text, str):
        return
    sender = message.get("from")
    sender = sender if isinstance(sender, dict) else {}
    language = str(sender.get("language_code", ""))[:2]
    command, _space, rest = text.strip().partition(" ")
    command = command.split("@", 1)[0].lower()
    if command == "/start" and rest.strip():
        _start(rest.strip(), chat_id, sender, language, at=at)
    elif command == "/stop":
        user = _forget_chat(chat_id, is_told=False)
        _say(chat_id, "stopped" if user else "not_linked", user.language if user else language)
    else:
        _say(chat_id, "hello", language)


def _start(code: str, chat_id: int, sender: dict[str, Any], language: str, *, at: datetime) -> None:
    """Guessing is hopeless, and slow all the same: each chat has a few tries."""
    user = None
    if _may_try(chat_id, at):
        user = _link(code=code[:64], chat_id=chat_id, name=_name_of(sender), at=at)
    _say(chat_id, "linked" if user else "wrong_code", user.language if user else language)


def _may_try(chat_id: int, at: datetime) -> bool:
    window = int(CODE_LIVES.total_seconds())
    key = f"telegram-tries:{chat_id}:{int(at.timestamp()) // window}"
    cache.add(key, 0, window)
    try:
        return cache.incr(key) <= TRIES
    except ValueError:  # the cache was full and let the count go
        return True


def _private_chat(about: dict[str, Any]) -> int | None:
    chat = about.get("chat")
    if not isinstance(chat, dict) or chat.get("type") != "private":
        return None
    number = chat.get("id")
    return number if isinstance(number, int) and abs(number) < 2**63 else None


def _name_of(sender: dict[str, Any]) -> str:
    username = sender.get("username")
    parts = [sender.get("first_name"), sender.get("last_name")]
    name = f"@{username}" if username else " ".join(str(part) for part in parts if part)
    return name.replace("\x00", "")[:130] or "Telegram"


# --- What goes to Telegram --------------------------------------------------------------------------


def _say(chat_id: int, what: str, language: str) -> None:
    jobs.enqueue(SAY_TASK, chat_id=chat_id, what=what, language=language)


def say(*, chat_id: int, what: str, language: str) -> None:
    """Say one of SAYINGS. Who is gone by now need not hear it."""
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(spoken):
        text = str(SAYINGS[what])
    try:
        telegram.call("sendMessage", chat_id=chat_id, text=text)
    except telegram.Gone:
        _forget_chat(chat_id, is_told=True)


def send(*, notification_id: UUID) -> None:
    """Bring a notification to its reader's chat, where they have one and want it there; once.

    What is not urgent waits for the end of their quiet hours. Who has blocked the bot is untied, and told on the site.
    """
    notification = Notification.objects.select_related("user", "type").filter(pk=notification_id).first()
    if notification is None or notification.telegrammed_at or not settings.TELEGRAM_BOT_TOKEN:
        return
    link = selectors.telegram_of(notification.user_id)
    if link is None or not notification.user.is_active:
        return
    if not selectors.wants(notification, Channel.TELEGRAM):
        return
    now = timezone.now()
    if wait_for_morning(notification, selectors.setting_of(notification.user), task=TELEGRAM_TASK, at=now):
        return
    try:
        _send(link.chat_id, notification)
    except telegram.Gone as error:
        logger.info("the chat of person %s is gone: %s", notification.user_id, error)
        _forget_chat(link.chat_id, is_told=True)
        return
    Notification.objects.filter(pk=notification.pk).update(telegrammed_at=timezone.now())


def _send(chat_id: int, notification: Notification) -> None:
    """With a button that opens the site. Telegram takes no button to a machine that only we can reach: then a line says where."""
    title, text = notification.title, notification.message
    body = f"<b>{html.escape(title, quote=False)}</b>\n\n{html.escape(_cut(text, title), quote=False)}"
    common: dict[str, Any] = {
        "chat_id": chat_id,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    if not notification.action_url:
        telegram.call("sendMessage", text=body, **common)
        return
    url = settings.SITE_URL + notification.action_url
    with translation.override(notification.user.language):
        label = str(KINDS[notification.data["kind"]].action)
    try:
        keyboard = {"inline_keyboard": [[{"text": label, "url": url}]]}
        telegram.call("sendMessage", text=body, reply_markup=keyboard, **common)
    except telegram.Gone:
        raise
    except telegram.Refused as error:
        if "url" not in error.description.lower():
            raise
        telegram.call("sendMessage", text=f"{body}\n\n{html.escape(url, quote=False)}", **common)


def _cut(text: str, title: str) -> str:
    """As much of the text as fits beside title and address."""
    room = LONGEST - 700 - len(title.encode("utf-16-le")) // 2
    units = text.encode("utf-16-le")
    if len(units) // 2 <= room:
        return text
    return units[: 2 * room].decode("utf-16-le", "ignore") + "…"
