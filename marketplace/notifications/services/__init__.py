"""Every write of notifications."""

from marketplace.notifications.services.digest import send_digest, sweep_digests
from marketplace.notifications.services.letters import (
    account_email,
    email,
    send_password_reset,
    send_sign_in_code,
    send_verification,
    send_welcome,
    tell_of_data,
    tell_of_factor,
    tell_of_way,
    to_person,
    warn_of_sign_in,
    welcome,
)
from marketplace.notifications.services.preferences import (
    choose,
    choose_groups,
    forget_bounce,
    move_digest,
    save,
    save_types,
    set_up,
    unsubscribe,
)
from marketplace.notifications.services.reading import forget_old, mark_all_read, mark_read
from marketplace.notifications.services.renaming import forget_name
from marketplace.notifications.services.telegram_chats import make_code, receive, say, send, unlink
from marketplace.notifications.services.telling import Message, Value, forget_types, notify, notify_all

__all__ = [
    "Message",
    "Value",
    "account_email",
    "choose",
    "choose_groups",
    "email",
    "forget_bounce",
    "forget_name",
    "forget_old",
    "forget_types",
    "make_code",
    "mark_all_read",
    "mark_read",
    "move_digest",
    "notify",
    "notify_all",
    "receive",
    "save",
    "save_types",
    "say",
    "send",
    "send_digest",
    "send_password_reset",
    "send_sign_in_code",
    "send_verification",
    "send_welcome",
    "set_up",
    "sweep_digests",
    "tell_of_data",
    "tell_of_factor",
    "tell_of_way",
    "to_person",
    "unlink",
    "unsubscribe",
    "warn_of_sign_in",
    "welcome",
]
