"""The payments' door for programs: deposits, payouts and the history for clients, webhooks for providers."""

import json
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts import confirmation, guesses, second_factor
from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import choose_from, valid
from marketplace.core.api.fields import MoneyField
from marketplace.core.api.idempotency import idempotency_key
from marketplace.core.api.pagination import Pages
from marketplace.core.api.shapes import ShapedMixin
from marketplace.core.errors import DomainError
from marketplace.core.visitors import address_of
from marketplace.payments import selectors, services
from marketplace.payments.errors import (
    AmountOutOfRange,
    BadCard,
    BadPayload,
    BankCodeNeeded,
    BodyTooLarge,
    CardTooNew,
    DailyLimit,
    MethodNotAvailable,
)
from marketplace.payments.models import Transaction
from marketplace.payments.providers.base import Answer
from marketplace.payments.services.webhooks import MAX_BODY

# Which field of a request a refusal of the services belongs to.
FIELD_OF: dict[type[DomainError], str] = {
    AmountOutOfRange: "amount",
    DailyLimit: "amount",
    MethodNotAvailable: "provider",
    BadCard: "card_number",
    BankCodeNeeded: "bank_code",
    CardTooNew: "card_number",
}


class TransactionSerializer(ShapedMixin, serializers.ModelSerializer[Transaction]):
    """A line of the history. `signed_amount` has the sign that the wallet sees; `card` is the payout's, masked."""

    amount = MoneyField(read_only=True)
    signed_amount = MoneyField(read_only=True)
    refunded = MoneyField(read_only=True)
    provider = serializers.CharField(source="payment_method.code", default=None, read_only=True)
    title = serializers.CharField(read_only=True)
    number = serializers.CharField(read_only=True)
    payment_url = serializers.CharField(read_only=True)
    card = serializers.SerializerMethodField()

    class Meta:
        model = Transaction
        fields = [
            "id", "number", "type", "status", "title", "amount", "signed_amount", "refunded", "currency", "provider",
            "description", "reason", "reference", "card", "payment_url", "created_at", "processed_at", "failed_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_card(self, row: Transaction) -> str | None:
        return str(row.destination) if hasattr(row, "destination") else None


class DepositRequest(serializers.Serializer[Any]):
    amount = MoneyField()
    provider = serializers.CharField(max_length=32)
    currency = serializers.ChoiceField(choices=["UZS", "KZT", "USD"], required=False)
    return_url = serializers.URLField(required=False, max_length=500)


class WithdrawRequest(serializers.Serializer[Any]):
    amount = MoneyField()
    card_number = serializers.CharField(max_length=48)
    bank_code = serializers.CharField(max_length=12, required=False, default="", allow_blank=True)
    currency = serializers.ChoiceField(choices=["UZS", "KZT", "USD"], default="UZS")
    password = serializers.CharField(max_length=200, trim_whitespace=False, required=False, default="")
    code = serializers.CharField(max_length=20, required=False, default="")


class Deposit(APIView):
    """POST {amount, provider, currency?}: opens a payment. 201 with its `payment_url`; an Idempotency-Key repeats it.

    Money in needs no confirmed address: it can do no harm to anybody else.
    """

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request) -> Response:
        data = valid(DepositRequest(data=request.data))
        method = selectors.methods().filter(code=data["provider"]).first()
        if method is None or data.get("currency", method.currency) != method.currency:
            raise serializers.ValidationError({"provider": [str(MethodNotAvailable.message)]})
        key = idempotency_key(request, required=False) or uuid4().hex
        try:
            payment = services.start_payment(
                user=person(request),
                amount=data["amount"],
                currency=method.currency,
                method_code=method.code,
                idempotency_key=key,
                return_url=request.build_absolute_uri(reverse("payments:wallet")),
            )
        except tuple(FIELD_OF) as error:
            raise _beside_its_field(error) from error
        return Response(TransactionSerializer(payment).data, status=status.HTTP_201_CREATED)


class Withdraw(APIView):
    """POST {amount, card_number, bank_code?, currency?, password | code}: asks for a payout. 201.

    The password is asked again (or the second factor's code), as on the page. Only for a confirmed address.
    """

    def post(self, request: Request) -> Response:
        data = valid(WithdrawRequest(data=request.data))
        user = person(request)
        _confirm(request, user, data)
        try:
            payout = services.withdraw(
                user=user,
                amount=data["amount"],
                card_number=data["card_number"],
                bank_code=data["bank_code"],
                currency=data["currency"],
                idempotency_key=idempotency_key(request, required=False) or uuid4().hex,
            )
        except tuple(FIELD_OF) as error:
            raise _beside_its_field(error) from error
        return Response(TransactionSerializer(payout).data, status=status.HTTP_201_CREATED)


class Transactions(APIView):
    """GET: the person's own history, newest first; ?type= ?status= filter, ?page= ?limit= page, ?fields= choose."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        rows = selectors.found(
            request.user,
            types=_chosen(request, "type", Transaction.Type.values),
            status=next(iter(_chosen(request, "status", Transaction.Status.values)), ""),
        )
        pages = Pages()
        # By when they were opened, which is what an answer tells: a page that is read twice has the same lines.
        page = pages.paginate_queryset(rows.order_by("-pk"), request, view=self)
        found = TransactionSerializer(page, many=True, context={"request": request})
        return pages.get_paginated_response(found.data)


class OneTransaction(APIView):
    """GET: one line of the person's own history; 404 for anybody else's."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request, transaction_id: UUID) -> Response:
        row = get_object_or_404(selectors.transactions_of(request.user), pk=transaction_id)
        return Response(TransactionSerializer(row, context={"request": request}).data)


def _chosen(request: Request, name: str, offered: list[str]) -> list[str]:
    """The filter's values; what is not offered is refused beside its name."""
    given = [one for one in request.query_params.get(name, "").split(",") if one]
    if any(one not in offered for one in given):
        raise choose_from(name, offered)
    return given


def _beside_its_field(error: DomainError) -> serializers.ValidationError:
    field = next(FIELD_OF[kind] for kind in type(error).__mro__ if kind in FIELD_OF)
    return serializers.ValidationError(
        {field: [serializers.ErrorDetail(str(error.message), code=error.code)]}
    )


def _confirm(request: Request, user: User, data: dict[str, Any]) -> None:
    plain = request._request  # noqa: SLF001 (axes counts failures by Django's request)
    if second_factor.is_required(user):
        if not confirmation.is_code(plain, user, data["code"]):
            raise guesses.lock_met(plain) or serializers.ValidationError(
                {"code": [_("This code is wrong or too old.")]}
            )
    elif not user.has_usable_password():
        # They came by Google, which no program can ask for us.
        raise serializers.ValidationError(
            {"password": [_("You have no password yet. Set one on the site, or a second factor.")]}
        )
    elif not confirmation.is_password(plain, user, data["password"]):
        raise guesses.lock_met(plain) or serializers.ValidationError(
            {"password": [_("This is not your password.")]}
        )


@csrf_exempt
def webhook(request: HttpRequest, provider: str, action: str = "") -> HttpResponse:
    """A payment provider tells us something. What signs it is the only credential.

    Not a view of the REST framework: the body is taken as bytes, whatever it calls itself, and the answer is the
    protocol's own.
    """
    try:
        if not services.knows_method(provider, request.method or ""):
            known = [method for method in ("GET", "POST") if services.knows_method(provider, method)]
            return HttpResponseNotAllowed(known)
        answer = services.receive(
            provider_code=provider,
            headers=request.headers,
            body=_body(request),
            method=request.method or "",
            action=action,
            query=request.META.get("QUERY_STRING", ""),
            address=address_of(request),
        )
    except DomainError as error:
        message = {"code": error.code, "message": str(error.message), "details": {}}
        answer = Answer(error.status, {"success": False, "error": message})
    return _said(answer)


def _said(answer: Answer) -> HttpResponse:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
    return HttpResponse(text, status=answer.status, content_type=answer.content_type)


def _body(request: HttpRequest) -> bytes:
    """The raw bytes. Raises BodyTooLarge before reading what calls itself too long."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length[:12]) > MAX_BODY:
        raise BodyTooLarge(length)
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge("very") from error
    except UnreadablePostError as error:
        raise BadPayload("broken off") from error
    if len(body) > MAX_BODY:
        raise BodyTooLarge(str(len(body)))
    return body
