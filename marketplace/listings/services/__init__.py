"""Writes about listings, by business action."""

from marketplace.listings.services.sale import mark_sold, release_reservation, reserve, take_down

__all__ = ["mark_sold", "release_reservation", "reserve", "take_down"]
