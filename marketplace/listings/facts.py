"""What has happened to listings."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListingSubmitted:
    """Waits for a moderator."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ListingApproved:
    """On sale. `moderator_id` is None when the system decided after the waiting time."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID
    moderator_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class ListingChangesAsked:
    """Given back to its seller, who may mend it and send it again."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID
    moderator_id: uuid.UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ListingRejected:
    """Not published, for good."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID
    moderator_id: uuid.UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ListingBlocked:
    listing_id: uuid.UUID
    seller_id: uuid.UUID
    moderator_id: uuid.UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ListingReserved:
    listing_id: uuid.UUID
    seller_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ListingReleased:
    """Back on sale after a trade that came to nothing."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ListingSold:
    listing_id: uuid.UUID
    seller_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ListingWithdrawn:
    listing_id: uuid.UUID
    seller_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """Both prices in minor units."""

    listing_id: uuid.UUID
    seller_id: uuid.UUID
    old: int
    new: int
