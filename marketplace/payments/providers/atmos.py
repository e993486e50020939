"""Uzcard and Humo cards through ATMOS: we ask it over REST, with a code from an SMS in between, and it asks us back.

Source: docs.atmos.uz: one-off payments, callbacks. Amounts are whole tiyin. Two providers of ours speak it, each with a store
of its own. A card's number passes through and is kept nowhere; ATMOS's callback credits nothing by itself.
"""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from marketplace.core import http
from marketplace.core.errors import DomainError
from marketplace.payments import errors
from marketplace.payments.models import Refund as RefundRow
from marketplace.payments.models import Transaction
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import (
    Answer,
    Ask,
    Check,
    Command,
    Delivery,
    Outcome,
    PaymentProvider,
    Redirect,
    Refusal,
    Settle,
    Webhook,
)

logger = logging.getLogger("marketplace.payments")

OK = "OK"
_PREFIX = "STPIMS-ERR-"
INTERNAL, BAD_PARAMS, BAD_CARD, CLOSED, NO_MONEY = (
    f"{_PREFIX}{n}" for n in ("001", "009", "067", "092", "112")
)
HASHES = {"md5": hashlib.md5, "sha256": hashlib.sha256}
# A token is renewed this long before it ends, so that it does not end on its way.
SPARE = 60.0  # seconds
SHORTEST = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    until: float  # of the monotonic clock


_tokens: dict[tuple[str, str], Token] = {}
_lock = threading.Lock()


class Said(Exception):
    """ATMOS says no, by one of its codes."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"atmos {code} {description}"[:200])
        self.code = code


class AtmosProvider(PaymentProvider):
    """One network's cards. Sending a card and its code are calls of ours: see `services.card_entry`."""

    can_refund: bool = True

    # --- What we ask -----------------------------------------------------------------------------------

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        """A page of ours takes the card: ATMOS's own number of the payment is all that is kept."""
        number = self.open(transaction, return_url)
        page = urljoin(return_url, reverse("payments:card", args=[transaction.pk]))
        return Redirect(url=page, provider_id=number)

    def open(self, transaction: Transaction, page: str) -> str:
        """Open a transaction at ATMOS; its number. One that nobody confirms takes no money. Raises ProviderUnavailable."""
        try:
            said = self._call(
                page,
                "merchant/pay/create",
                amount=transaction.amount,
                account=str(transaction.pk),
                lang=transaction.user.language,
            )
        except Said as error:
            raise errors.ProviderUnavailable(str(error)) from error
        number = wire.provider_id(said.get("transaction_id"))
        if number is None:
            raise errors.ProviderUnavailable("atmos gives no number")
        return number

    def send_card(self, transaction: Transaction, *, number: str, expiry: str) -> str:
        """Hand a card on (`expiry` is YYMM): ATMOS sends its holder a code. Returns the transaction's number at ATMOS.

        Raises CardRefused, NotEnoughOnCard, AlreadyPaid, ProviderUnavailable.
        """
        trans_id = transaction.provider_transaction_id
        try:
            self._pre_apply(transaction, trans_id, number, expiry)
        except Said as error:
            if error.code != CLOSED:
                raise _refusal(error) from error
            if self.verify_payment(transaction) is not None:
                raise errors.AlreadyPaid(f"{trans_id} at {self.code}") from error
            trans_id = self.open(transaction, transaction.payment_url)
            try:
                self._pre_apply(transaction, trans_id, number, expiry)
            except Said as again:
                raise _refusal(again) from again
        return trans_id

    def _pre_apply(self, transaction: Transaction, trans_id: str, number: str, expiry: str) -> None:
        self._call(
            transaction.payment_url,
            "merchant/pay/pre-apply",
            transaction_id=_as_sent(trans_id),
            card_number=number,
            expiry=expiry,
        )

    def confirm(self, transaction: Transaction, code: str) -> Command | None:
        """Send the holder's code. None when ATMOS took it without saying that the money has moved: ask later.

        Raises WrongCode, NotEnoughOnCard, ProviderUnavailable (nobody knows: ask later).
        """
        trans_id = transaction.provider_transaction_id
        try:
            said = self._call(
                transaction.payment_url, "merchant/pay/apply", transaction_id=_as_sent(trans_id), otp=code
            )
        except Said as error:
            if error.code == CLOSED and (command := self.verify_payment(transaction)) is not None:
                return command  # the code was sent twice
            if error.code == NO_MONEY:
                raise errors.NotEnoughOnCard(str(error)) from error
            if error.code == INTERNAL:
                raise errors.ProviderUnavailable(str(error)) from error
            raise errors.WrongCode(str(error)) from error
        return self._settled(transaction, trans_id, said)

    def verify_payment(self, transaction: Transaction) -> Command | None:
        trans_id = transaction.provider_transaction_id
        if not trans_id:
            return None
        try:
            said = self._call(transaction.payment_url, "merchant/pay/get", transaction_id=_as_sent(trans_id))
        except Said as error:
            if error.code == INTERNAL:
                raise errors.ProviderUnavailable(str(error)) from error
            logger.warning("payment %s: %s", transaction.pk, error)
            return None
        return self._settled(transaction, trans_id, said)

    def _settled(self, transaction: Transaction, trans_id: str, said: Mapping[str, Any]) -> Settle | None:
        """The money is ours only on ATMOS's own confirmed word, about this transaction and with its amount."""
        told = said.get("store_transaction")
        if (
            not isinstance(told, dict)
            or told.get("confirmed") is not True
            or str(told.get("status_code")) != "0"
        ):
            return None
        named = told.get("trans_id", trans_id)
        amount = wire.minor(told.get("amount"))
        if amount is None or str(named) != trans_id:
            raise errors.PaymentMismatch(
                f"atmos confirms {named!r}, {told.get('amount')!r}, not {trans_id}"[:200]
            )
        kept = {"success_trans_id": str(told.get("success_trans_id", ""))[:40]}
        return Settle(transaction.pk, trans_id, amount, "UZS", is_taken=True, details=kept)

    def refund(self, refund: RefundRow) -> str:
        """The whole payment: ATMOS gives no parts back."""
        payment = refund.payment
        page = str(payment.metadata.get("payment_url", ""))
        number = payment.provider_transaction_id
        # Getting a token first tells a service that is down from an answer that was lost.
        self._token(page)
        try:
            self._call(
                page, "merchant/pay/reverse", transaction_id=_as_sent(number), reason=refund.reason[:100]
            )
        except errors.ProviderUnavailable as error:
            raise errors.RefundUnclear(str(error)) from error
        except Said as error:
            if error.code in {INTERNAL, CLOSED}:
                # Closed may mean that it was given back already.
                raise errors.RefundUnclear(str(error)) from error
            raise errors.RefundRefused(str(error)) from error
        return f"reverse:{number}"

    # --- The wire --------------------------------------------------------------------------------------

    def _base(self, page: str) -> str:
        """Where no address is set, the built-in gateway plays ATMOS; `page` is an address of ours."""
        if self.config["api_url"]:
            return self.config["api_url"].rstrip("/")
        path = reverse("payments:gateway-api", args=[self.code, "x"]).removesuffix("/x")
        return urljoin(page or settings.SITE_URL, path)

    def _call(self, page: str, path: str, **fields: Any) -> dict[str, Any]:
        """Raises Said for a "no" of ATMOS, ProviderUnavailable for none at all."""
        body = json.dumps({"store_id": self.config["store_id"], **fields}).encode()
        reply = self._send(page, path, body, self._token(page))
        if reply.status == 401:
            self._forget(page)
            reply = self._send(page, path, body, self._token(page))
        try:
            said = wire.read_object(reply.body)
        except errors.BadPayload as error:
            raise errors.ProviderUnavailable(f"atmos answers {reply.status}, unreadable") from error
        result = said.get("result")
        code = result.get("code") if isinstance(result, dict) else None
        if code == OK and reply.status == 200:
            return said
        if isinstance(result, dict) and isinstance(code, str) and code.startswith(_PREFIX):
            raise Said(code, str(result.get("description", "")))
        raise errors.ProviderUnavailable(f"atmos answers {reply.status} {code!r}"[:200])

    def _send(self, page: str, path: str, body: bytes, token: str) -> http.Reply:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return _sent(f"{self._base(page)}/{path}", body, headers)

    def _token(self, page: str) -> str:
        key = (self._base(page), self.config["consumer_key"])
        with _lock:
            known = _tokens.get(key)
        if known and known.until > time.monotonic():
            return known.text
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": credentials(self.config["consumer_key"], self.config["consumer_secret"]),
        }
        reply = _sent(f"{key[0]}/token", b"grant_type=client_credentials", headers)
        try:
            said = wire.read_object(reply.body)
        except errors.BadPayload:
            said = {}
        text, lasts = said.get("access_token"), said.get("expires_in")
        if reply.status != 200 or not isinstance(text, str) or not text.isascii() or not text.isprintable():
            raise errors.ProviderUnavailable(f"atmos gives no token: {reply.status}")
        seconds = min(lasts, 86_400) if type(lasts) is int else 0
        with _lock:
            _tokens[key] = Token(text, time.monotonic() + max(seconds - SPARE, SHORTEST))
        return text

    def _forget(self, page: str) -> None:
        with _lock:
            _tokens.pop((self._base(page), self.config["consumer_key"]), None)

    # --- What it asks us -------------------------------------------------------------------------------

    def process_webhook(self, delivery: Delivery) -> Webhook:
        """ATMOS asks whether it may take the money (or tells that it has: integrators disagree). Either credits nothing."""
        fields = wire.read_object(delivery.body)
        invoice = fields.get("invoice", fields.get("account"))
        signed = [fields.get("store_id"), fields.get("transaction_id"), invoice, fields.get("amount")]
        texts = [str(value) for value in signed if type(value) in {str, int}]
        right = sign(texts, self.config["api_key"], self.config["sign_hash"])
        given = fields.get("sign")
        if len(texts) != len(signed) or not isinstance(given, str):
            raise errors.BadSignature(f"{self.code}: a member is missing")
        if not hmac.compare_digest(right.encode(), given.encode()):
            raise errors.BadSignature(self.code)
        if texts[0] != self.config["store_id"]:
            raise self._refusal(errors.UnknownStore(texts[0][:100]))
        number = wire.provider_id(signed[1])
        if number is None:
            raise errors.BadPayload("not a transaction")
        reference, amount = wire.reference(invoice), wire.minor(signed[3])
        if reference is None:
            raise self._refusal(errors.UnknownPayment(repr(invoice)[:100]))
        if amount is None:
            raise self._refusal(errors.WrongAmount(repr(signed[3])[:100]))
        return Webhook(commands=_asked(reference, number, amount))

    def _refusal(self, error: DomainError) -> Refusal:
        return Refusal(self.refuse(None, error), f"{error.code}: {error}")

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:  # noqa: ARG002
        return Answer(200, {"status": 1, "message": "OK"})

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:  # noqa: ARG002
        return Answer(200, {"status": 0, "message": error.code})


class UzcardProvider(AtmosProvider):
    code = "uzcard"


class HumoProvider(AtmosProvider):
    code = "humo"


def sign(texts: Sequence[str], api_key: str, name: str = "md5") -> str:
    """The callback's signature: store, transaction, invoice, amount and key without separators, lowercase hex."""
    return HASHES[name if name in HASHES else "md5"]("".join([*texts, api_key]).encode()).hexdigest()


def credentials(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def _asked(reference: UUID, number: str, amount: int) -> tuple[Command, ...]:
    # Whoever closed the page before the last answer is credited by asking.
    return Check(reference, amount, "UZS", provider_id=number), Ask(reference)


def _as_sent(number: str) -> int | str:
    """ATMOS's numbers are whole; kept as texts."""
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else number


def _sent(url: str, body: bytes, headers: Mapping[str, str]) -> http.Reply:
    try:
        return http.send("POST", url, body=body, headers=headers)
    except http.NoAnswer as error:
        raise errors.ProviderUnavailable(str(error)) from error


def _refusal(said: Said) -> DomainError:
    if said.code == NO_MONEY:
        return errors.NotEnoughOnCard(str(said))
    if said.code == INTERNAL:
        return errors.ProviderUnavailable(str(said))
    return errors.CardRefused(str(said))
