"""FreedomPay (formerly PayBox): we open a payment, the payer goes to its page, and signed forms bring the outcome.

Source: freedompay.kz, documentation of the merchant API. Amounts are decimals of major units. Every message is signed by
`pg_sig`: md5 of the script's name, the values in the order of their names, and the secret, joined by semicolons.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import UUID
from xml.etree import ElementTree  # nosec B405 (see `read_xml`)
from xml.sax.saxutils import escape  # nosec B406 (it writes, it reads nothing)

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.core import http
from marketplace.core.errors import DomainError
from marketplace.core.money import to_decimal
from marketplace.payments import errors
from marketplace.payments.models import PaymentAttempt, Transaction
from marketplace.payments.models import Refund as RefundRow
from marketplace.payments.providers import wire
from marketplace.payments.providers.base import (
    Answer,
    Authorize,
    Cancel,
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

SIGNATURE = "pg_sig"
LIFETIME = 23 * 3600  # seconds; a deposit is given up after a day
_XML = "application/xml; charset=utf-8"
_LANGUAGES = {"ru", "en"}
_PAID = {"success", "ok"}
_FAILED = {"failed", "error", "revoked"}


@dataclass(frozen=True, slots=True)
class Call:
    """What is answered needs: the name that the call was signed with, and whether a "no" still helps the payer."""

    script: str
    can_reject: bool
    is_paid: bool = False


class FreedomPayProvider(PaymentProvider):
    code = "freedompay"
    can_refund = True
    can_refund_part = True

    # --- What we ask -----------------------------------------------------------------------------------

    def create_payment(self, transaction: Transaction, return_url: str) -> Redirect:
        language = transaction.user.language
        with translation.override(language):
            words = transaction.description or _("Top up the wallet")
        hooks = {
            f"pg_{name}_url": urljoin(return_url, reverse("payments:webhook-action", args=[self.code, name]))
            for name in ("check", "result")
        }
        said = self._ask(
            return_url,
            "init_payment.php",
            {
                "pg_order_id": str(transaction.pk),
                "pg_amount": str(to_decimal(transaction.amount)),
                "pg_currency": transaction.currency,
                "pg_description": words[:255],
                **hooks,
                "pg_request_method": "POST",
                "pg_success_url": return_url,
                "pg_success_url_method": "GET",
                "pg_failure_url": return_url,
                "pg_failure_url_method": "GET",
                "pg_lifetime": str(LIFETIME),
                "pg_language": language if language in _LANGUAGES else "ru",
                "pg_testing_mode": self.config["testing_mode"],
            },
        )
        page = said.get("pg_redirect_url", "")
        if said.get("pg_status") != "ok" or urlsplit(page).scheme not in {"http", "https"}:
            raise errors.ProviderUnavailable(_complaint("init_payment.php", said))
        return Redirect(url=page, provider_id=wire.provider_id(said.get("pg_payment_id")) or "")

    def verify_payment(self, transaction: Transaction) -> Command | None:
        said = self._status(transaction, transaction.payment_url)
        state = said.get("pg_payment_status") or said.get("pg_transaction_status")
        number = wire.provider_id(said.get("pg_payment_id"))
        if said.get("pg_status") != "ok" or number is None:
            return None  # nothing was paid, or the payer never got to the page
        if state in _PAID and said.get("pg_captured", "1") != "0":
            amount = wire.from_major(said.get("pg_amount"))
            if amount is None:
                raise errors.WrongAmount(f"freedompay: {said.get('pg_amount')!r} of {transaction.pk}"[:200])
            return Settle(transaction.pk, number, amount, said.get("pg_currency", "")[:20], is_taken=True)
        if state in _FAILED:
            return Cancel(transaction.pk, number, reason=f"FreedomPay: {state}")
        return None

    def refund(self, refund: RefundRow) -> str:
        payment = refund.payment
        page = str(payment.metadata.get("payment_url", ""))
        # Asking how it stands first tells a service that is down from an answer that was lost: revoke.php has no key.
        self._status(payment, page)
        fields = {
            "pg_payment_id": payment.provider_transaction_id,
            "pg_refund_amount": str(to_decimal(refund.amount)),
        }
        try:
            said = self._ask(page, "revoke.php", fields)
        except errors.ProviderUnavailable as error:
            raise errors.RefundUnclear(str(error)) from error
        if said.get("pg_status") != "ok":
            raise errors.RefundRefused(_complaint("revoke.php", said))
        return wire.provider_id(said.get("pg_refund_id")) or f"revoke:{refund.pk}"

    def _status(self, transaction: Transaction, page: str) -> dict[str, str]:
        fields = {"pg_order_id": str(transaction.pk)}
        return self._ask(page, "get_status3.php", fields, signed_as=self.config["status_script"])

    def _ask(
        self, page: str, script: str, fields: Mapping[str, str], *, signed_as: str = ""
    ) -> dict[str, str]:
        """One call. A "no" of FreedomPay is an answer too; a "yes" must be signed. Raises ProviderUnavailable."""
        name = signed_as or script
        sent = {**fields, "pg_merchant_id": self.config["merchant_id"], "pg_salt": secrets.token_hex(8)}
        sent[SIGNATURE] = sign(name, sent, self.config["secret_key"])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            reply = http.send(
                "POST", f"{self._base(page)}/{script}", body=urlencode(sent).encode(), headers=headers
            )
            said = read_xml(reply.body)
        except http.NoAnswer as error:
            raise errors.ProviderUnavailable(str(error)) from error
        except errors.BadPayload as error:
            raise errors.ProviderUnavailable(f"freedompay {script}: {error}"[:200]) from error
        # An answer that says no may be unsigned: there is nothing in it to believe.
        if said.get("pg_status") == "ok" and not any(
            is_signed(one, said, self.config["secret_key"]) for one in (name, script)
        ):
            raise errors.ProviderUnavailable(f"freedompay {script}: the answer's signature is wrong")
        if said.get("pg_status") not in {"ok", "error", "rejected"} or reply.status >= 500:
            raise errors.ProviderUnavailable(f"freedompay {script} answers {reply.status}")
        return said

    def _base(self, page: str) -> str:
        """Where no address is set, the built-in gateway plays FreedomPay; `page` is an address of ours."""
        if self.config["api_url"]:
            return self.config["api_url"].rstrip("/")
        path = reverse("payments:gateway-api", args=[self.code, "x"]).removesuffix("/x")
        return urljoin(page or settings.SITE_URL, path)

    # --- What it asks us -------------------------------------------------------------------------------

    def process_webhook(self, delivery: Delivery) -> Webhook:
        fields = wire.read_form(delivery.body)
        script = self._script(delivery, fields)
        kind = delivery.action or ("result" if "pg_result" in fields else "check")
        result = fields.get("pg_result", "")
        is_paid = kind == "result" and result == "1"
        can_reject = kind == "check" or (is_paid and fields.get("pg_can_reject") == "1")
        call = Call(script, can_reject, is_paid)
        if kind not in {"check", "result"} or (kind == "result" and result not in {"0", "1"}):
            raise self._refusal(call, "error", "Unknown call")
        reference = wire.reference(fields.get("pg_order_id"))
        if reference is None:
            raise self._refusal(call, "", "Unknown order")
        number = wire.provider_id(fields.get("pg_payment_id"))
        if number is None and kind == "result":
            raise self._refusal(call, "error", "No payment's number")
        if kind == "result" and result == "0":
            return Webhook(commands=(_failure(reference, number or "", fields),), call=call)
        amount = wire.from_major(fields.get("pg_amount"))
        if amount is None:
            raise self._refusal(call, "", "Wrong amount")
        currency = fields.get("pg_currency", "")[:20]
        if kind == "check":
            return Webhook(
                commands=(Check(reference, amount, currency, provider_id=number or ""),), call=call
            )
        if fields.get("pg_captured") == "0":
            # Held on the card only: it counts when it was taken.
            return Webhook(commands=(Authorize(reference, number or "", amount, currency),), call=call)
        # While it may be rejected, a payment that we gave up goes back to the payer.
        settle = Settle(reference, number or "", amount, currency, is_taken=not call.can_reject)
        return Webhook(commands=(settle,), call=call)

    def _script(self, delivery: Delivery, fields: Mapping[str, str]) -> str:
        """The name that the call is signed with. Raises BadSignature.

        By FreedomPay's rule it is what follows the last slash of our address, which is nothing; others take the last word.
        """
        for name in ("", delivery.action or self.code):
            if is_signed(name, fields, self.config["secret_key"]):
                return name
        raise errors.BadSignature("freedompay")

    def answer(self, webhook: Webhook, outcomes: Sequence[Outcome]) -> Answer:
        attempt = outcomes[0].attempt
        if webhook.call.is_paid and attempt and attempt.state == PaymentAttempt.State.CANCELLED:
            raise errors.PaymentMismatch(f"{attempt.provider_id} failed before and is paid now")
        return self._said(webhook.call, "ok", "Accepted")

    def refuse(self, webhook: Webhook | None, error: DomainError) -> Answer:
        if webhook is None:
            return self._said(Call("", can_reject=False), "error", error.code)
        call: Call = webhook.call
        if not call.can_reject and not call.is_paid:
            return self._said(call, "ok", "Noted")  # a failure that changes nothing needs no other answer
        return self._said(call, "rejected" if call.can_reject else "error", error.code)

    def fail(self) -> Answer:
        """Any other status than 200 is told again later."""
        return Answer(500, self._said(Call("", can_reject=False), "error", "Try again later").body, _XML)

    def _refusal(self, call: Call, status: str, words: str) -> Refusal:
        status = status or ("rejected" if call.can_reject else "error")
        return Refusal(self._said(call, status, words), words)

    def _said(self, call: Call, status: str, words: str) -> Answer:
        fields = {"pg_status": status, "pg_description": words, "pg_salt": secrets.token_hex(8)}
        return Answer(200, write_xml(signed(call.script, fields, self.config["secret_key"])), _XML)


def sign(script: str, fields: Mapping[str, str], secret: str) -> str:
    """`pg_sig` of these fields; a signature among them does not count."""
    values = [value for name, value in sorted(fields.items()) if name != SIGNATURE]
    return hashlib.md5(";".join([script, *values, secret]).encode(), usedforsecurity=False).hexdigest()


def signed(script: str, fields: Mapping[str, str], secret: str) -> dict[str, str]:
    return {**fields, SIGNATURE: sign(script, fields, secret)}


def is_signed(script: str, fields: Mapping[str, str], secret: str) -> bool:
    given = fields.get(SIGNATURE, "")
    return hmac.compare_digest(given.encode(), sign(script, fields, secret).encode())


def write_xml(fields: Mapping[str, str]) -> str:
    """`<response>` with one element for each field."""
    lines = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="utf-8"?>\n<response>{lines}</response>'


def read_xml(body: bytes) -> dict[str, str]:
    """The elements of an answer, nested ones by their names and places ("pg_card" + "001" …). Raises BadPayload.

    Entities are declared in a document type, and no answer has one: what has is refused before it is parsed.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise errors.BadPayload("not UTF-8") from error
    if "<!doctype" in text.lower() or "<!entity" in text.lower():
        raise errors.BadPayload("a document type")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # nosec B314 (no entities: see above)
    except (ElementTree.ParseError, ValueError) as error:
        raise errors.BadPayload(f"no XML: {error}"[:100]) from error
    return dict(_flat(root))


def _flat(element: ElementTree.Element, before: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """FreedomPay signs nested fields by the names of the way to them, each with its place in three digits."""
    found: list[tuple[str, str]] = []
    for place, child in enumerate(element, 1):
        name = f"{before}{child.tag}{place:03d}" if before or len(child) else child.tag
        if len(child) and depth < 10:
            found += _flat(child, name, depth + 1)
        else:
            found.append((name, child.text or ""))
    return found


def _failure(reference: UUID, number: str, fields: Mapping[str, str]) -> Cancel:
    code = fields.get("pg_failure_code", "")
    why = fields.get("pg_failure_description", "")
    return Cancel(
        reference,
        number,
        reason=f"FreedomPay {code} {why}".strip()[:200].replace("\0", ""),
        code=int(code) if code.isascii() and code.isdigit() and len(code) < 9 else None,
    )


def _complaint(script: str, said: Mapping[str, str]) -> str:
    code, words = said.get("pg_error_code", ""), said.get("pg_error_description", "")
    return f"freedompay {script}: {said.get('pg_status')} {code} {words}"[:200]
