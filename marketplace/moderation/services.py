"""What moderators are told, what people are told of their decisions, and what is noted of them."""

from django.urls import reverse
from django.utils import translation

from marketplace.accounts import trail
from marketplace.accounts.facts import OrganizerApplied, OrganizerJudged
from marketplace.accounts.models import OrganizerProfile, User
from marketplace.accounts.selectors import staff_with
from marketplace.accounts.trail import Kind
from marketplace.escrow.models import EscrowTransaction
from marketplace.listings.facts import ListingSubmitted
from marketplace.listings.models import Listing
from marketplace.messaging.facts import MessageReported
from marketplace.messaging.models import MessageReport
from marketplace.moderation import selectors
from marketplace.notifications.services import notify


def tell_of_report(fact: MessageReported) -> None:
    """A message was reported: everybody who decides on those gets a notification."""
    row = MessageReport.objects.select_related("message__sender").filter(pk=fact.report_id).first()
    if row is None or row.message.sender is None:
        return
    for moderator in staff_with("messaging", "read_reported"):
        with translation.override(moderator.language):
            reason = str(row.get_reason_display())
        notify(
            user=moderator,
            kind="message_reported",
            context={"person": row.message.sender.display_name, "reason": reason},
            action_url=reverse("moderation:reports"),
        )


def tell_moderators(fact: ListingSubmitted) -> None:
    """A listing waits: every moderator gets a notification."""
    listing = Listing.objects.select_related("seller").filter(pk=fact.listing_id).first()
    if listing is None:
        return
    for moderator in selectors.moderators():
        notify(
            user=moderator,
            kind="listing_waiting",
            context={"title": listing.title, "seller": listing.seller.display_name},
            action_url=f"{reverse('moderation:queue')}?listing={listing.pk}",
        )


def note_look_at_trade(*, trade: EscrowTransaction, actor: User) -> None:
    """A moderator has a trade's page open: prices, people, disputes."""
    people = (trade.buyer_id, trade.seller_id)
    trail.record_look(Kind.TRADE_OPENED, people=people, actor=actor, about=trade)


def note_look_at_report(*, report: MessageReport, actor: User) -> None:
    """A moderator reads what was said around a reported message."""
    talk = report.message.conversation
    people = (talk.buyer_id, talk.seller_id)
    trail.record_look(Kind.REPORT_OPENED, people=people, actor=actor, about=report)


def tell_of_organizer(fact: OrganizerApplied) -> None:
    """Somebody asks to hold events: everybody who decides about that gets a notification."""
    profile = OrganizerProfile.objects.select_related("user").filter(pk=fact.profile_id).first()
    if profile is None:
        return
    for member in staff_with("accounts", "decide_organizer").exclude(pk=profile.user_id):
        notify(
            user=member,
            kind="organizer_waiting",
            context={"person": profile.user.display_name, "title": profile.display_name},
            action_url=reverse("moderation:organizers"),
        )


def tell_organizer(fact: OrganizerJudged) -> None:
    """Whoever asked to hold events has an answer."""
    user = User.objects.alive().filter(pk=fact.user_id, is_active=True).first()
    if user is None:
        return
    apply = reverse("organizer_apply")
    if fact.reason:
        notify(user=user, kind="organizer_rejected", context={"reason": fact.reason}, action_url=apply)
    else:
        notify(user=user, kind="organizer_approved", action_url=apply)
