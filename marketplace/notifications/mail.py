"""E-mails from templates, html and text, in the language that is active."""

import time
from collections.abc import Iterable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.console import EmailBackend as ConsoleBackend
from django.template.loader import render_to_string
from django.utils.translation import get_language

MAIL_DIR = settings.VAR_DIR / "mail"


def send(*, template: str, to: str, subject: str, context: dict[str, Any]) -> None:
    """Send templates/emails/<template>.{txt,html}. An empty subject is taken from <template>_subject.txt.

    Raises the backend's error (OSError, SMTPException) when it cannot be handed over.
    """
    context = {"site_url": settings.SITE_URL, "language": get_language(), **context}
    subject = subject or render_to_string(f"emails/{template}_subject.txt", context)
    message = EmailMultiAlternatives(
        " ".join(subject.split()),
        render_to_string(f"emails/{template}.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [to],
    )
    message.attach_alternative(render_to_string(f"emails/{template}.html", context), "text/html")
    message.send()


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
