"""The clock of trades, and what they leave in the chat."""

import uuid
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from marketplace.escrow import services


@shared_task(name="tasks.escrow.sweep")
def sweep() -> None:
    services.sweep(at=timezone.now())


@shared_task(name="tasks.escrow.note_step")
def note_step(trade_id: str, step: str, at: str, amount: int, deadline: str | None) -> None:
    services.put_into_chat(
        trade_id=uuid.UUID(trade_id),
        step=step,
        at=datetime.fromisoformat(at),
        amount=amount,
        deadline=datetime.fromisoformat(deadline) if deadline else None,
    )
