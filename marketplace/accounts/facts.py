"""What has happened to people."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonVerified:
    """The person has shown that their address is theirs, for the first time."""

    user_id: uuid.UUID
