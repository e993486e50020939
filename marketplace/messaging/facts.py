"""What has happened in conversations."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MessageReported:
    report_id: UUID
