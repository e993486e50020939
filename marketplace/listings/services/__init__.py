"""Writes about listings, by business action."""

from marketplace.listings.services.bulk import import_listings, note_seller
from marketplace.listings.services.decisions import approve, ask_for_changes, auto_approve, block, reject
from marketplace.listings.services.interest import record_view, toggle_favourite
from marketplace.listings.services.publishing import (
    PICTURES_MAX,
    Content,
    Secrets,
    delete,
    edit,
    relist,
    save_draft,
    submit,
    withdraw,
    withdraw_all,
)
from marketplace.listings.services.sale import mark_sold, release_reservation, reserve, take_down

__all__ = [
    "PICTURES_MAX",
    "Content",
    "Secrets",
    "approve",
    "ask_for_changes",
    "auto_approve",
    "block",
    "delete",
    "edit",
    "import_listings",
    "mark_sold",
    "note_seller",
    "record_view",
    "reject",
    "release_reservation",
    "relist",
    "reserve",
    "save_draft",
    "submit",
    "take_down",
    "toggle_favourite",
    "withdraw",
    "withdraw_all",
]
