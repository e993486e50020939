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


class UnknownPayment(DomainError):
    code = "unknown_payment"
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
    message = _("This is not a valid card number. Check the digits.")


class UnknownProvider(DomainError):
    code = "unknown_provider"
    status = 404
    message = _("There is no such payment provider.")


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status = 413
    message = _("The body is too large.")
