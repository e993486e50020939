"""Who listens to which fact: the whole wiring, in one table. Listeners run after the commit and only queue work."""

from marketplace.core.announce import listen


def wire() -> None:
    """Called once, when all apps are loaded."""
    from marketplace.accounts.facts import (
        FactorAdded,
        FactorRemoved,
        PersonVerified,
        RecoveryCodesRenewed,
        RecoveryCodeUsed,
        SignedInAnew,
        WayInAdded,
        WayInRemoved,
        ZoneChanged,
    )
    from marketplace.listings.facts import ListingSubmitted
    from marketplace.messaging.facts import MessageReported
    from marketplace.moderation.services import tell_moderators, tell_of_report
    from marketplace.notifications.services import (
        move_digest,
        tell_of_factor,
        tell_of_way,
        warn_of_sign_in,
        welcome,
    )

    listen(PersonVerified, welcome)
    listen(SignedInAnew, warn_of_sign_in)
    listen(ZoneChanged, move_digest)
    listen(FactorAdded, tell_of_factor)
    listen(FactorRemoved, tell_of_factor)
    listen(RecoveryCodesRenewed, tell_of_factor)
    listen(RecoveryCodeUsed, tell_of_factor)
    listen(WayInAdded, tell_of_way)
    listen(WayInRemoved, tell_of_way)
    listen(ListingSubmitted, tell_moderators)
    listen(MessageReported, tell_of_report)
