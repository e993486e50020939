"""Stripe: we open a Checkout Session and send the payer there; the outcome comes as signed events.

Source: docs.stripe.com: Checkout, webhooks, idempotent requests, refunds. Amounts are whole minor units, currency codes are
lowercase. The official library makes the requests and checks the signatures; the wire under it is `core.http`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import stripe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from marketplace.core import http
from marketplace.core.errors import DomainError
from marketplace.payments import errors
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.models import Refund as RefundRow
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import (
    Answer,
    Authorize,
    Cancel,
    Command,
    Contest,
    Delivery,
    Outcome,
    PaymentProvider,
    Redirect,
    Refund,
    Settle,
    Webhook,
)

logger = logging.getLogger("marketplace.payments")

# What we were written for: an upgrade of the library must not change what we send and read.
API_VERSION = "2026-10-28.endive"
SIGNATURE = "Stripe-Signature"
TOLERANCE = 300  # seconds
# Stripe takes 30 minutes to 24 hours; a deposit is given up after 24.
SESSION_LIFETIME = timedelta(hours=23)
# Stripe forgets an idempotency key after a day: later we look before we ask again.
KEY_LIFETIME = timedelta(hours=20)
_LOCALES = {"ru", "en"}  # Stripe's pages have no Uzbek: the browser decides
_METADATA = "transaction_id"
_LIMITS = {"amount_too_small", "amount_too_large"}


class _Wire(stripe.HTTPClient):
    """The library's requests by our own wire: one short timeout, no redirects, no second tries."""

    name = "wibestore"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            reply = http.send(method.upper(), url, body=body, headers=headers)
            return reply.body.decode(), reply.status, {}
        except (http.NoAnswer, UnicodeDecodeError) as error:
            raise stripe.APIConnectionError(str(error)) from error

    def close(self) -> None:
        """Nothing is kept open."""


class StripeProvider(PaymentProvider):
    code = "stripe"
    kept_headers = (SIGNATURE,)
    can_refund = True
    can_refund_part = True

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        ours = {_METADATA: str(transaction.pk)}
        language = transaction.user.language
        with translation.override(language):
            name = transaction.description or _("Top up the wallet")
        try:
            session = self._client(return_url).v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": str(transaction.pk),
                    "metadata": ours,
                    # A session's metadata does not reach its payment, and refunds and disputes speak of that only.
                    "payment_intent_data": {"metadata": ours},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": transaction.currency.lower(),
                                "unit_amount": transaction.amount,
                                "product_data": {"name": name},
                            },
                        }
                    ],
                    "success_url": return_url,
                    "cancel_url": return_url,
                    # Counted from the row: a second try with the same key must say the same.
                    "expires_at": int((transaction.created_at + SESSION_LIFETIME).timestamp()),
                    "locale": language if language in _LOCALES else "auto",
                },
                {"idempotency_key": f"{transaction.pk}:create"},
            )
        except stripe.InvalidRequestError as error:
            if error.code in _LIMITS:
                raise errors.AmountOutOfRange(f"{transaction.pk}: {error}") from error
            raise _unavailable(error) from error
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        if not session.url or not session.id:
            raise errors.ProviderUnavailable(f"stripe gives no page for {transaction.pk}")
        return Redirect(url=session.url, provider_id=session.id)

    def verify_payment(self, transaction: Transaction) -> Command | None:
        session_id = transaction.provider_transaction_id
        if not session_id.startswith("cs_"):
            return None  # the session was never opened
        try:
            session = self._client(transaction.payment_url).v1.checkout.sessions.retrieve(session_id)
        except stripe.InvalidRequestError:
            logger.warning("stripe does not know %s", session_id)
            return None
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        told = session.to_dict()
        if told.get("status") == "expired":
            return _expired(told)
        return _outcome_of(told) if told.get("status") == "complete" else None

    def process_webhook(self, delivery: Delivery) -> Webhook:
        self._check_signature(delivery)
        event = wire.read_object(delivery.body)
        event_id = wire.provider_id(event.get("id"))
        if event_id is None:
            raise errors.BadPayload("an event without an id")
        kind, data = event.get("type"), event.get("data")
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is None:
            return Webhook(event_id, note=f"not for us: {kind!r}"[:200])
        if event.get("livemode") is False and self.config["secret_key"].startswith(("sk_live_", "rk_live_")):
            return Webhook(event_id, is_kept=True, note="an event of the test mode")
        told = data.get("object") if isinstance(data, dict) else None
        if not isinstance(told, dict):
            return Webhook(event_id, is_kept=True, note="an event without its object")
        try:
            commands = reader(told)
        except _NotOurs as why:
            return Webhook(event_id, is_kept=True, note=str(why))
        return Webhook(event_id, commands, note="" if commands else f"{kind}: {_why(told)}"[:200])

    def _check_signature(self, delivery: Delivery) -> None:
        """By the library, but as of the arrival: a call that is read again later is not older for it."""
        header = delivery.headers.get(SIGNATURE, "")
        try:
            stripe.WebhookSignature.verify_header(delivery.body, header, self.config["webhook_secret"])
        except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError) as error:
            raise errors.BadSignature(f"stripe: {error}"[:200]) from error
        at = next(value for name, _is, value in map(_parted, header.split(",")) if name == "t")
        if (
            not (at.isascii() and at.isdigit() and len(at) <= 12)
            or int(at) < delivery.at.timestamp() - TOLERANCE
        ):
            raise errors.BadSignature(f"stripe: of {at[:20]}")

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        for command, outcome in zip(webhook.commands, outcomes, strict=True):
            attempt = outcome.attempt
            if isinstance(command, Settle) and attempt and attempt.state == PaymentAttempt.State.CANCELLED:
                raise errors.PaymentMismatch(f"{attempt.provider_id} failed before and is paid now")
        return _RECEIVED

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        """Only what is not Stripe's own is refused: a refusal of ours would be repeated for days and change nothing."""
        if webhook is None and isinstance(error, errors.BadSignature | errors.BadPayload):
            return Answer(400, {"received": False, "error": {"code": error.code}})
        return _RECEIVED

    def refund(self, refund: RefundRow) -> str:
        payment = refund.payment
        client = self._client(str(payment.metadata.get("payment_url", "")))
        intent = self._intent(client, payment)
        if refund.created_at < timezone.now() - KEY_LIFETIME and (known := _made(client, intent, refund)):
            return known
        try:
            made = client.v1.refunds.create(
                {
                    "payment_intent": intent,
                    "amount": refund.amount,
                    "metadata": {_METADATA: str(payment.pk), "refund_id": str(refund.pk)},
                },
                {"idempotency_key": f"{refund.pk}:refund"},
            ).to_dict()
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            # "Refunded already" may be this very refund, asked for before.
            if known := _made(client, intent, refund):
                return known
            raise errors.RefundRefused(f"stripe: {error.code or error}"[:200]) from error
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        if made.get("status") in {"failed", "canceled"}:
            raise errors.RefundRefused(f"stripe: {made['status']} {made.get('failure_reason', '')}".strip())
        return str(made["id"])

    def _intent(self, client: stripe.StripeClient, payment: Transaction) -> str:
        """The number of the money itself; a payment that was told by its session alone is asked for it."""
        number = payment.provider_transaction_id
        if number.startswith("cs_"):
            try:
                told = client.v1.checkout.sessions.retrieve(number).to_dict()
            except stripe.StripeError as error:
                raise _unavailable(error) from error
            number = wire.provider_id(told.get("payment_intent")) or ""
        if not number:
            raise errors.RefundRefused(f"stripe has no payment for {payment.pk}")
        return number

    def _client(self, page: str) -> stripe.StripeClient:
        """`page` is an address of ours, for the built-in gateway: it plays Stripe where no address is set."""
        base = self.config["api_url"] or _gateway(page)
        return stripe.StripeClient(
            self.config["secret_key"],
            http_client=_Wire(),
            base_addresses={"api": base.rstrip("/")},
            stripe_version=API_VERSION,
            max_network_retries=0,
        )


_RECEIVED = Answer(200, {"received": True})


class _NotOurs(Exception):
    """An event that speaks of nothing we know: a person should look."""


def _gateway(page: str) -> str:
    path = reverse("payments:gateway-api", args=[StripeProvider.code, "v1"]).removesuffix("/v1")
    return urljoin(page or settings.SITE_URL, path)


def _unavailable(error: stripe.StripeError) -> errors.ProviderUnavailable:
    return errors.ProviderUnavailable(f"stripe: {type(error).__name__} {error}"[:300])


def _made(client: stripe.StripeClient, intent: str, refund: RefundRow) -> str:
    """The number of this refund at Stripe's, when it was made already. Raises ProviderUnavailable."""
    try:
        found = client.v1.refunds.list({"payment_intent": intent, "limit": 100})
    except stripe.StripeError as error:
        raise _unavailable(error) from error
    for one in (row.to_dict() for row in found.data):
        is_it = (one.get("metadata") or {}).get("refund_id") == str(refund.pk)
        if is_it and one.get("status") not in {"failed", "canceled"}:
            return str(one["id"])
    return ""


def _parted(item: str) -> tuple[str, str, str]:
    return item.partition("=")


def _why(told: Mapping[str, Any]) -> str:
    """What a declined try says of itself."""
    error = told.get("last_payment_error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _reference(told: Mapping[str, Any]) -> UUID | None:
    metadata = told.get("metadata")
    return wire.reference(told.get("client_reference_id")) or (
        wire.reference(metadata.get(_METADATA)) if isinstance(metadata, dict) else None
    )


def _number(told: Mapping[str, Any]) -> str:
    """A try goes by the number of its money, which refunds and disputes name too; else by its session."""
    number = wire.provider_id(told.get("payment_intent")) or wire.provider_id(told.get("id"))
    if number is None:
        raise _NotOurs("an object without a number")
    return number


def _money(told: Mapping[str, Any], name: str) -> tuple[int, str]:
    amount, currency = wire.minor(told.get(name)), told.get("currency")
    if amount is None or not isinstance(currency, str):
        raise _NotOurs(f"no amount: {told.get(name)!r} {currency!r}"[:200])
    return amount, currency.upper()[:3] if len(currency) == 3 else currency[:20]


def _ours(told: Mapping[str, Any]) -> UUID:
    reference = _reference(told)
    if reference is None:
        raise _NotOurs(f"not a payment of ours: {told.get('client_reference_id')!r}"[:200])
    return reference


def _outcome_of(session: Mapping[str, Any]) -> Settle | Authorize:
    """A finished session: paid, or by a method whose money comes later."""
    reference, number = _ours(session), _number(session)
    amount, currency = _money(session, "amount_total")
    kept = {"session": str(session.get("id", ""))[:128]}
    if session.get("payment_status") == "paid":
        # The payer has lost the money whatever we think of the payment.
        return Settle(reference, number, amount, currency, is_taken=True, details=kept)
    if session.get("payment_status") == "unpaid":
        return Authorize(reference, number, amount, currency, details=kept)
    raise _NotOurs(f"payment_status is {session.get('payment_status')!r}"[:200])


def _completed(session: Mapping[str, Any]) -> tuple[Command, ...]:
    return (_outcome_of(session),)


def _arrived(session: Mapping[str, Any]) -> tuple[Command, ...]:
    """Delayed money has come."""
    return (_outcome_of({**session, "payment_status": "paid"}),)


def _failed(session: Mapping[str, Any]) -> tuple[Command, ...]:
    return (Cancel(_ours(session), _number(session), reason="Stripe: async_payment_failed"),)


def _expired(session: Mapping[str, Any]) -> Cancel:
    return Cancel(_ours(session), _number(session), reason="Stripe: expired", declined=False)


def _declined(_intent: Mapping[str, Any]) -> tuple[Command, ...]:
    """One card was declined; the session stays open for another."""
    return ()


def _refunded(charge: Mapping[str, Any]) -> tuple[Command, ...]:
    total, currency = _money(charge, "amount_refunded")
    captured, _currency = _money(charge, "amount")
    number = _number(charge)
    # Events come in any order: money that came back had come, even if nobody has told us yet.
    return (Refund(_reference(charge), number, currency, total=total, captured=captured),)


def _contested(dispute: Mapping[str, Any]) -> tuple[Command, ...]:
    return (Contest(_reference(dispute), _number(dispute)),)


def _decided(dispute: Mapping[str, Any]) -> tuple[Command, ...]:
    """Won, or lost: then the bank has taken the money."""
    reference, number = _reference(dispute), _number(dispute)
    over = Contest(reference, number, is_over=True)
    if dispute.get("status") != "lost":
        return (over,)
    amount, currency = _money(dispute, "amount")
    refund_id = wire.provider_id(dispute.get("id")) or ""
    return (Refund(reference, number, currency, amount=amount, refund_id=refund_id), over)


_READERS: dict[str, Callable[[Mapping[str, Any]], tuple[Command, ...]]] = {
    "checkout.session.completed": _completed,
    "checkout.session.async_payment_succeeded": _arrived,
    "checkout.session.async_payment_failed": _failed,
    "checkout.session.expired": lambda session: (_expired(session),),
    "payment_intent.payment_failed": _declined,
    "charge.refunded": _refunded,
    "charge.dispute.created": _contested,
    "charge.dispute.closed": _decided,
}
