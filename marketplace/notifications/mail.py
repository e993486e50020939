"""E-mails from templates, html and text, in the language that is active; and what a mail server answers, sorted."""

import smtplib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.console import EmailBackend as ConsoleBackend
from django.template.loader import render_to_string
from django.utils.translation import get_language

from marketplace.core.jobs import NotNow

MAIL_DIR = settings.VAR_DIR / "mail"
# Many mail programs drop <style>; what they read is written on the elements. Only what must stay a rule stays one (@media).
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


class AddressRefused(Exception):
    """The mail server will never take a mail for this address (5xx)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it will be read: one line of subject, text, and html whose styles stand on its elements."""

    subject: str
    text: str
    html: str


def render(*, template: str, subject: str, context: dict[str, Any]) -> Letter:
    """templates/emails/<template>.{txt,html}. An empty subject is taken from <template>_subject.txt."""
    context = {"site_url": settings.SITE_URL, "language": get_language(), **context}
    subject = subject or render_to_string(f"emails/{template}_subject.txt", context)
    html = _INLINER.inline(render_to_string(f"emails/{template}.html", context))
    return Letter(" ".join(subject.split()), render_to_string(f"emails/{template}.txt", context), html)


def send(
    *,
    template: str,
    to: str,
    subject: str,
    context: dict[str, Any],
    unsubscribe_url: str = "",
    message_id: str = "",
) -> None:
    """Send a mail from its templates, with a way out for mail programs where `unsubscribe_url` names one (RFC 8058).

    The same `message_id` for the same mail: a server that took it before it hung up can tell that it comes again.

    Raises AddressRefused when the server will never take it for this address, NotNow when it is the server's trouble, and
    the server's own error when it is this mail's.
    """
    letter = render(
        template=template, subject=subject, context={**context, "unsubscribe_url": unsubscribe_url}
    )
    headers = {}
    if message_id:
        headers["Message-ID"] = f"<{message_id}@{urlsplit(settings.SITE_URL).hostname}>"
    if unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(
        letter.subject, letter.text, settings.DEFAULT_FROM_EMAIL, [to], headers=headers
    )
    message.attach_alternative(letter.html, "text/html")
    _hand_over(message)


def _hand_over(message: EmailMultiAlternatives) -> None:
    """What a server says may name the address: errors that a job keeps say the code alone."""
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        _judge(code, said, is_about_address=True, error=error)
    except smtplib.SMTPAuthenticationError as error:
        raise NotNow(f"the mail server does not let us in ({error.smtp_code})") from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPServerDisconnected) as error:
        raise NotNow(f"the mail server: {type(error).__name__}") from None
    except smtplib.SMTPResponseException as error:
        # Some servers look at the address only when they have the whole mail; RFC 3463 calls those codes 5.1.x.
        said = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        _judge(error.smtp_code, said, is_about_address=said.startswith(b"5.1."), error=error)
    except OSError as error:
        if isinstance(error, smtplib.SMTPException):
            raise
        raise NotNow(f"the mail server is not reached: {type(error).__name__}") from None


def _judge(code: int, said: bytes, *, is_about_address: bool, error: Exception) -> None:
    if code < 500:
        raise NotNow(f"the mail server says {code}") from None
    if is_about_address:
        enhanced = said.split(b" ", 1)[0].decode("ascii", "replace")[:12]
        raise AddressRefused(f"{code} {enhanced}") from None
    raise error


class DeveloperBackend(ConsoleBackend):
    """Print each mail's recipient and subject, and keep the whole of it for the developer page /dev/mail/."""

    def write_message(self, message: EmailMessage) -> None:
        MAIL_DIR.mkdir(parents=True, exist_ok=True)
        (MAIL_DIR / f"{time.time_ns()}.eml").write_bytes(message.message().as_bytes())
        self.stream.write(
            f"mail to {', '.join(message.to)}: {message.subject} (read it at {settings.SITE_URL}/dev/mail/)\n"
        )


def kept_mails(*, most: int = 50) -> Iterable[dict[str, str]]:
    """The newest mails that the developer backend kept: name, to, subject, text, html."""
    for file in sorted(MAIL_DIR.glob("*.eml"), reverse=True)[:most]:
        yield read_mail(file)


def read_mail(file: Path) -> dict[str, str]:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    parts = {
        kind: body.get_content() if (body := message.get_body(preferencelist=(kind,))) else ""
        for kind in ("plain", "html")
    }
    return {
        "name": file.stem,
        "to": message["to"],
        "subject": message["subject"],
        "date": message["date"],
        **parts,
    }
