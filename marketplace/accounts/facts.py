"""What has happened to people."""

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PersonVerified:
    """The person has shown that their address is theirs, for the first time."""

    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ZoneChanged:
    """The person's clock is another one from now on."""

    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class SignedInAnew:
    """The person signed in with a browser they have not used before. `device` such as "Chrome, Android"; both may be empty."""

    user_id: uuid.UUID
    device_id: uuid.UUID
    device: str
    address: str
    at: datetime
