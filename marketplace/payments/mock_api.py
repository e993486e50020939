"""POST /api/v1/payments/mock/charge/: charge a payment at the mock provider. Outside production only."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api.bodies import valid
from marketplace.payments import selectors, services
from marketplace.payments.models import Transaction
from marketplace.payments.providers import mock


class ChargeSerializer(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField()
    status = serializers.ChoiceField([mock.PAID, mock.FAILED], default=mock.PAID)


class MockCharge(APIView):
    """The owner says how their payment ends. Saying it twice is harmless; another end than the first is refused (409)."""

    permission_classes = (IsAuthenticated,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not mock.is_served():
            raise Http404
        super().initial(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        asked = valid(ChargeSerializer(data=request.data))
        own = selectors.transactions_of(request.user).filter(
            type=Transaction.Type.DEPOSIT, payment_method__code=mock.CODE
        )
        payment = get_object_or_404(own, pk=asked["transaction_id"])
        status = asked["status"]
        services.act(mock.command(payment.pk, status), mock.CODE)
        return Response({"status": status, "transaction_id": str(payment.pk)})
