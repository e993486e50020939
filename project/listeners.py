"""Who listens to which fact: the whole wiring, in one table. Listeners run after the commit and only queue work."""

from marketplace.core.announce import listen


def wire() -> None:
    """Called once, when all apps are loaded."""
    from marketplace.accounts.facts import (
        DeletionAsked,
        DeletionPutOff,
        DeletionTakenBack,
        ExportReady,
        FactorAdded,
        FactorRemoved,
        OrganizerApplied,
        OrganizerJudged,
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
    from marketplace.moderation.services import (
        tell_moderators,
        tell_of_organizer,
        tell_of_report,
        tell_organizer,
    )
    from marketplace.notifications.services import (
        move_digest,
        tell_of_data,
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
    listen(ExportReady, tell_of_data)
    listen(DeletionAsked, tell_of_data)
    listen(DeletionTakenBack, tell_of_data)
    listen(DeletionPutOff, tell_of_data)
    listen(OrganizerApplied, tell_of_organizer)
    listen(OrganizerJudged, tell_organizer)
    listen(WayInAdded, tell_of_way)
    listen(WayInRemoved, tell_of_way)
    listen(ListingSubmitted, tell_moderators)
    listen(MessageReported, tell_of_report)
