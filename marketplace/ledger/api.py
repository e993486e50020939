"""The state of the books, for programs."""

from datetime import UTC
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.core.api.fields import MoneyField
from marketplace.ledger import words
from marketplace.ledger.selectors import books
from marketplace.ledger.status import published

MAX_AGE = 60


class ProofSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    text = serializers.CharField()
    counted = serializers.IntegerField()
    holds = serializers.BooleanField()


class AccountSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    total = MoneyField()


class BalanceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    accounts = AccountSerializer(many=True)
    total = MoneyField()


class AuditSerializer(serializers.Serializer[Any]):
    """`rule` names a proof for programs and never changes, `text` says it in the caller's language."""

    number = serializers.IntegerField()
    entries = serializers.IntegerField()
    postings = serializers.IntegerField()
    duration_ms = serializers.IntegerField(source="took_ms")
    proofs = ProofSerializer(many=True)
    trial_balance = BalanceSerializer(many=True, source="balances")


class Books(APIView):
    """GET: state (green, red, late, none), when the last audit ended, and what it said; `audit` is null before the first.

    Open to everybody, the same for everybody, kept for a minute.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, _request: Request) -> Response:
        now = books(at=timezone.now())
        shown = published(now.audit)
        body = {
            "state": now.state,
            "text": str(words.STATES[now.state]),
            "audited_at": now.audit
            and serializers.DateTimeField(default_timezone=UTC).to_representation(now.audit.finished_at),
            "age_seconds": None if now.age is None else round(now.age.total_seconds()),
            "audit": AuditSerializer(shown).data if shown else None,
        }
        return Response(body, headers={"Cache-Control": f"public, max-age={MAX_AGE}"})
