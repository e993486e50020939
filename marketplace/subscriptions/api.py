"""The plans' door for programs. Money goes out as decimals of soʻm ("49000.00"), fees as shares ("0.08")."""

from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.urls import path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.core.money import BASIS_POINTS, to_decimal
from marketplace.payments.models import Transaction
from marketplace.subscriptions import selectors, services
from marketplace.subscriptions.errors import PlanNotAvailable
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription

PAYMENTS_SHOWN = 20
_key = RegexValidator(r"^[\x21-\x7e]{1,80}\Z", "Send 1 to 80 visible ASCII characters.")


class Minors(serializers.Field):
    """Whole minor units, read only, as a decimal of major ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: int) -> str:
        return str(to_decimal(value))


class PlanSerializer(serializers.ModelSerializer):
    price_monthly = Minors()
    price_yearly = Minors()
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
    price = Minors()
    paid = Minors()

    class Meta:
        model = UserSubscription
        fields = [
            "id", "plan", "period", "status", "start_date", "end_date", "auto_renew", "next_plan", "next_period",
            "cancelled_at", "cancel_reason", "price", "paid", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class PaymentSerializer(serializers.ModelSerializer):
    amount = Minors()
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


def _user(request: Request) -> User:
    return cast("User", request.user)


class Plans(APIView):
    """All plans on offer, the smallest first. Public."""

    permission_classes = [AllowAny]

    def get(self, _request: Request) -> Response:
        return Response(PlanSerializer(selectors.plans(), many=True).data)


class Purchase(APIView):
    """Buy a plan or change to it. The header `Idempotency-Key` makes a repeat give the first one's answer.

    From the wallet: 201 with the subscription. Through a provider: 201 with the subscription, pending, and a payment whose
    `payment_url` is where the person goes on.
    """

    def post(self, request: Request) -> Response:
        asked = PurchaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        plan = selectors.plan_by_slug(given["plan"])
        if plan is None:
            raise PlanNotAvailable(given["plan"])
        order: dict[str, Any] = {
            "user": _user(request),
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
    key = request.headers.get("Idempotency-Key", "")
    try:
        _key(key)
    except ValidationError as error:
        raise serializers.ValidationError({"Idempotency-Key": [str(_key.message)]}) from error
    return key


class Mine(APIView):
    """One's plan, the running subscription (null on Free), and the last payments for plans."""

    def get(self, request: Request) -> Response:
        user = _user(request)
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

    def post(self, request: Request) -> Response:
        asked = CancelSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        cancelled = services.cancel(user=_user(request), reason=asked.validated_data["reason"])
        return Response({"subscription": SubscriptionSerializer(cancelled).data})


# Below /api/v1/.
api_urlpatterns = [
    path("subscriptions/plans/", Plans.as_view(), name="api-plans"),
    path("subscriptions/purchase/", Purchase.as_view(), name="api-purchase"),
    path("subscriptions/my/", Mine.as_view(), name="api-mine"),
    path("subscriptions/cancel/", Cancel.as_view(), name="api-cancel"),
]
