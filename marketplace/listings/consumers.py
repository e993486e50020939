"""One offer for programs: `/ws/listings/<id>/`. Pages have the stream."""

from typing import Any

from marketplace.core.live.socket import LiveSocket
from marketplace.core.money import to_decimal
from marketplace.listings import selectors
from marketplace.listings.models import Listing


class ListingSocket(LiveSocket):
    """Tells what becomes of an offer; for whoever may see its page, and its seller whatever its state.

    Sent: `state` {"id", "status", "price", "currency"} at the beginning, then `status_changed`, `price_changed` with the same
    and with `old`, and `sold`. For others than its seller an offer that is no longer public is "withdrawn", for whatever reason.
    """

    async def enter(self) -> None:
        self._id = str(self.scope["url_route"]["kwargs"]["listing_id"])
        await self.listen(f"listing:{self._id}")
        self._shown = await self.call(_state, self._id, self.reader.user)
        await self.tell("state", self._shown)

    async def heard(self, topic: str, event: str, payload: dict[str, Any]) -> None:  # noqa: ARG002
        """Look anew rather than trust the event: what is told is what this reader may see now."""
        before = self._shown
        try:
            self._shown = now = await self.call(_state, self._id, self.reader.user)
        except Listing.DoesNotExist:
            self._shown = now = {**before, "status": "withdrawn"}
        if now["price"] != before["price"]:
            await self.tell("price_changed", {**now, "old": before["price"]})
        if now["status"] != before["status"]:
            await self.tell("status_changed", {**now, "old": before["status"]})
            if now["status"] == "sold":
                await self.tell("sold", now)


def _state(listing_id: str, user: Any) -> dict[str, Any]:
    """What this user may see of it. Raises DoesNotExist."""
    found = selectors.listing_to_follow(listing_id, user)
    if found is None:
        raise Listing.DoesNotExist
    return {
        "id": listing_id,
        "status": found.status,
        "price": str(to_decimal(found.price)),
        "currency": found.currency,
    }
