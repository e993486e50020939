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
    """The person signed in with a browser they have not used before. `device` such as "Chrome, Android"; it and the address
    may be empty. `is_country_new`: where the country of the network is known, and none of their other sign-ins was from there.
    """

    user_id: uuid.UUID
    device_id: uuid.UUID
    device: str
    address: str
    is_country_new: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class FactorAdded:
    """A second factor was set up. `factor`: the passkey's name; empty for the authenticator app."""

    user_id: uuid.UUID
    factor: str


@dataclass(frozen=True, slots=True)
class FactorRemoved:
    """A second factor was taken away. `factor` as in `FactorAdded`."""

    user_id: uuid.UUID
    factor: str


@dataclass(frozen=True, slots=True)
class RecoveryCodesRenewed:
    """The person made new recovery codes; the old ones are dead."""

    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed:
    """One of the recovery codes was used. `left`: how many still work."""

    user_id: uuid.UUID
    left: int


@dataclass(frozen=True, slots=True)
class ExportReady:
    """The copy of a person's data can be fetched until `until`."""

    user_id: uuid.UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class DeletionAsked:
    """The person wants their account deleted; it will be at `due_at`."""

    user_id: uuid.UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DeletionTakenBack:
    """The person keeps their account."""

    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class DeletionPutOff:
    """Something was still open when the wait was over; it is tried again at `due_at`."""

    user_id: uuid.UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OrganizerApplied:
    """Somebody wants to hold events; `is_again` after a rejection, or with other words."""

    profile_id: uuid.UUID
    user_id: uuid.UUID
    is_again: bool


@dataclass(frozen=True, slots=True)
class OrganizerJudged:
    """A moderator has decided; `reason` is empty where the answer is yes."""

    profile_id: uuid.UUID
    user_id: uuid.UUID
    reason: str


@dataclass(frozen=True, slots=True)
class WayInAdded:
    """Something else opens the account from now on. `way`: "google", "telegram" or "phone"; `name`: whose, as people know it."""

    user_id: uuid.UUID
    way: str
    name: str


@dataclass(frozen=True, slots=True)
class WayInRemoved:
    """It opens the account no longer. Fields as in `WayInAdded`."""

    user_id: uuid.UUID
    way: str
    name: str
