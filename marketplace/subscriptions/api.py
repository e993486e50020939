"""The plans' door for programs. Money goes out as decimals of soʻm ("49000.00"), fees as shares ("0.08")."""

from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import valid
from marketplace.core.api.fields import MoneyField
from marketplace.core.api.idempotency import idempotency_key
from marketplace.core.money import BASIS_POINTS
from marketplace.payments.models import Transaction
from marketplace.subscriptions import selectors, services
from marketplace.subscriptions.errors import PlanNotAvailable
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription

PAYMENTS_SHOWN = 20
LONGEST_KEY = 80  # the services add words of their own to it


class PlanSerializer(serializers.ModelSerializer):
    price_monthly = MoneyField(read_only=True)
    price_yearly = MoneyField(read_only=True)
    commission_rate = serializers.SerializerMethodField()
    features = serializers.ListField(source="benefits", child=serializers.CharField(), read_only=True)
    currency = serializers.CharField(source="CURRENCY", read_only=True)

    class Meta:
        model = SubscriptionPlan
        fields = [
            "id", "name", "slug", "price_monthly", "price_yearly", "currency", "commission_rate", "features",
            "is_premium", "is_pro", "sort_order",
        ]  # fmt: skip
        read_only_fields = fields

    def get_commission_rate(self, plan: SubscriptionPlan) -> str:
        share = Decimal(plan.commission_basis_points) / BASIS_POINTS
        return f"{share:.4f}".rstrip("0").ljust(4, "0")


class SubscriptionSerializer(serializers.ModelSerializer):
    plan = PlanSerializer(read_only=True)
    next_plan = serializers.CharField(source="next_plan.slug", read_only=True, default=None)
    start_date = serializers.DateTimeField(source="starts_at", read_only=True)
    end_date = serializers.DateTimeField(source="ends_at", read_only=True)
    price = MoneyField(read_only=True)
    paid = MoneyField(read_only=True)

    class Meta:
        model = UserSubscription
        fields = [
            "id", "plan", "period", "status", "start_date", "end_date", "auto_renew", "next_plan", "next_period",
            "cancelled_at", "cancel_reason", "price", "paid", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class PaymentSerializer(serializers.ModelSerializer):
    amount = MoneyField(read_only=True)
    payment_url = serializers.CharField(read_only=True)

    class Meta:
        model = Transaction
        fields = ["id", "amount", "currency", "status", "description", "payment_url", "created_at"]
        read_only_fields = fields


class PurchaseSerializer(serializers.Serializer):
    """What a client sends. `provider` is a payment method's code; without it the wallet pays."""

    plan = serializers.ChoiceField(choices=User.Plan.choices)
    period = serializers.ChoiceField(choices=Period.choices, default=Period.MONTHLY)
    provider = serializers.CharField(required=False, allow_null=True, max_length=32)
    auto_renew = serializers.BooleanField(default=True)


class CancelSerializer(serializers.Serializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class Plans(APIView):
    """All plans on offer, the smallest first. Public."""

    permission_classes = (AllowAny,)

    def get(self, _request: Request) -> Response:
        return Response(PlanSerializer(selectors.plans(), many=True).data)


class Purchase(APIView):
    """Buy a plan or change to it. The header `Idempotency-Key` makes a repeat give the first one's answer.

    From the wallet: 201 with the subscription. Through a provider: 201 with the subscription, pending, and a payment whose
    `payment_url` is where the person goes on.
    """

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request) -> Response:
        given = valid(PurchaseSerializer(data=request.data))
        plan = selectors.plan_by_slug(given["plan"])
        if plan is None:
            raise PlanNotAvailable(given["plan"])
        order: dict[str, Any] = {
            "user": person(request),
            "plan": plan,
            "period": Period(given["period"]),
            "idempotency_key": _key_of(request),
            "auto_renew": given["auto_renew"],
        }
        payment = None
        if given.get("provider"):
            subscription, payment = services.purchase_through(method_code=given["provider"], **order)
        else:
            subscription = services.purchase(**order)
        body = {
            "subscription": SubscriptionSerializer(subscription).data,
            "payment": PaymentSerializer(payment).data if payment else None,
        }
        return Response(body, status=201)


def _key_of(request: Request) -> str:
    """The client's key for this wish; without one, each request is a wish of its own."""
    key = idempotency_key(request, required=False) or uuid4().hex
    return key if len(key) <= LONGEST_KEY else sha256(key.encode()).hexdigest()


class Mine(APIView):
    """One's plan, the running subscription (null on Free), and the last payments for plans."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        user = person(request)
        current = selectors.current_of(user)
        plan = current.plan if current else SubscriptionPlan.objects.get(slug=User.Plan.FREE)
        paid = selectors.payments_of(user)[:PAYMENTS_SHOWN]
        return Response(
            {
                "plan": PlanSerializer(plan).data,
                "subscription": SubscriptionSerializer(current).data if current else None,
                "payments": PaymentSerializer(paid, many=True).data,
            }
        )


class Cancel(APIView):
    """Stop the plan at the end of the paid time. Twice is harmless."""

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request) -> Response:
        given = valid(CancelSerializer(data=request.data))
        cancelled = services.cancel(user=person(request), reason=given["reason"])
        return Response({"subscription": SubscriptionSerializer(cancelled).data})
