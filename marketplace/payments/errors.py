"""What payments refuse."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class MethodNotAvailable(DomainError):
    code = "method_not_available"
    message = _("This payment method is not available now. Choose another one.")


class AmountOutOfRange(DomainError):
    code = "amount_out_of_range"
    status = 400
    message = _("The amount is outside the limits of this payment method.")


class SecondFactorNeeded(DomainError):
    """So much within a day is paid out only to people with a second factor (PAYOUT_SECOND_FACTOR_FROM)."""

    code = "second_factor_needed"
    status = 403
    message = _("A payout of this size takes a second factor. Set one up, then ask again.")


class ProviderUnavailable(DomainError):
    code = "provider_unavailable"
    status = 503
    message = _("The payment provider does not answer. No money was taken; try again in a few minutes.")


class PaymentNotOpen(DomainError):
    code = "payment_not_open"
    message = _("This payment is already finished.")


class PaymentMismatch(DomainError):
    """A provider tells of a payment that differs from ours. Nothing is credited; a person has to look."""

    code = "payment_mismatch"
    message = _("The payment does not match ours.")


class WrongAmount(PaymentMismatch):
    code = "wrong_amount"
    message = _("The amount or the currency is not that of our payment.")


class AlreadyPaid(PaymentMismatch):
    """Another try of a provider has paid it."""

    code = "already_paid"
    message = _("This payment is paid already.")


class NotPaidYet(PaymentMismatch):
    """A refund of what nobody has told us was paid."""

    code = "not_paid_yet"


class AttemptBusy(DomainError):
    """Another try is open, and the provider's protocol allows one at a time."""

    code = "payment_busy"
    message = _("This payment is being made right now.")


class AttemptExpired(DomainError):
    """The provider's call is older than the time its protocol gives a payment."""

    code = "payment_expired"
    message = _("The time to pay is over.")


class UnknownAttempt(DomainError):
    """The provider speaks of a try that it never opened here."""

    code = "unknown_provider_transaction"
    status = 404
    message = _("There is no such transaction.")


class AlreadySpent(DomainError):
    """The provider wants money back that the wallet no longer has."""

    code = "already_spent"
    message = _("The money is spent already and cannot be taken back.")


class RefundTooLarge(DomainError):
    code = "refund_too_large"
    status = 400
    message = _("More than was paid cannot be refunded.")


class RefundNotPossible(DomainError):
    code = "refund_not_possible"
    message = _("This payment cannot be refunded to its method.")


class RefundRefused(DomainError):
    """The provider says no to a refund of ours; the money goes back to the wallet."""

    code = "refund_refused"
    message = _("The payment provider refuses the refund.")


class OwnRefund(DomainError):
    code = "own_refund"
    status = 403
    message = _("Nobody decides about a payment of their own.")


class RefundOver(DomainError):
    """It has ended, or somebody else has decided about it."""

    code = "refund_over"
    message = _("This refund is over already: look at it again.")


class RefundAsked(DomainError):
    """Nobody decides about a refund while its provider is still being asked."""

    code = "refund_asked"
    message = _("The provider is still being asked about this refund. Wait for its answer.")


class RefundNumberUsed(DomainError):
    code = "refund_number_used"
    message = _("Another refund of this payment has this number. Look into the provider’s cabinet again.")


class CardTooNew(DomainError):
    """A payout card that replaced another can be used after a pause: whoever stole the session cannot wait that long."""

    code = "card_too_new"

    def __init__(self, usable_from: str) -> None:
        super().__init__(usable_from)
        self.message = _("This card is saved. For your safety, payouts to a new card start %(time)s.") % {
            "time": usable_from
        }


class DailyLimit(DomainError):
    code = "daily_limit"

    def __init__(self, left: str) -> None:
        super().__init__(left)
        self.message = _("The limit of one day is reached. You can still withdraw %(amount)s today.") % {
            "amount": left
        }


class NotApproved(DomainError):
    code = "payout_not_approved"
    message = _("This payout has not been approved by enough people yet.")


class OwnPayout(DomainError):
    code = "own_payout"
    status = 403
    message = _("Nobody decides about a payout of their own.")


class RefundUnclear(ProviderUnavailable):
    """Nobody knows whether the provider has made a refund, and asking again could make it twice: a person must look."""


class CardRefused(DomainError):
    code = "card_refused"
    status = 400
    message = _("The bank does not take this card. Check the number and the date, or try another card.")


class NotEnoughOnCard(DomainError):
    code = "not_enough_on_card"
    message = _("There is not enough money on this card.")


class WrongCode(DomainError):
    code = "wrong_code"
    status = 400
    message = _("The code is wrong or no longer valid.")


class TooManyTries(DomainError):
    code = "too_many_tries"
    status = 429
    message = _("Too many tries. Start a new payment.")


class PayoutsFrozen(DomainError):
    code = "payouts_frozen"
    message = _("Payouts wait: a payment of yours is contested at its bank. Support will write to you.")


class PayoutsLocked(DomainError):
    """The person said that somebody else had signed in to their account."""

    code = "payouts_locked"

    def __init__(self, until: str = "") -> None:
        super().__init__(until or "no new password yet")
        self.message = (
            _("For your safety, payouts are locked until %(time)s.") % {"time": until}
            if until
            else _("For your safety, payouts are locked. Set a new password by the link in our mail.")
        )


class UnknownPayment(DomainError):
    code = "unknown_payment"
    status = 404
    message = _("There is no such payment.")


class UnknownStore(DomainError):
    """A provider's call is meant for another shop."""

    code = "unknown_store"
    status = 404
    message = _("There is no such payment.")


class BadSignature(DomainError):
    code = "bad_signature"
    status = 401
    message = _("The signature is wrong or too old.")


class BadPayload(DomainError):
    code = "bad_payload"
    status = 400
    message = _("The body cannot be read.")


class BadCard(DomainError):
    code = "bad_card"
    status = 400
    message = _("This is not a valid card or account number. Check the digits.")


class BankCodeNeeded(DomainError):
    code = "bank_code_needed"
    status = 400
    message = _("An account needs the bank's code: MFO, five digits.")


class UnknownProvider(DomainError):
    code = "unknown_provider"
    status = 404
    message = _("There is no such payment provider.")


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status = 413
    message = _("The body is too large.")
