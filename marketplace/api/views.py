"""Answers for which several apps are asked, and the one for addresses that nobody knows."""

from typing import Any

from django.http import Http404
from rest_framework.views import APIView

from marketplace.accounts.api import Me
from marketplace.accounts.models import User
from marketplace.core.money import Currency, to_decimal
from marketplace.ledger.selectors import balances


class Profile(Me):
    """A person and their purse: GET and PATCH as `auth/me/`, with `balance` and `held` ("50000.00") in `currency`."""

    def shown(self, person: User) -> dict[str, Any]:
        purse = balances(person)
        return {
            **super().shown(person),
            "balance": str(to_decimal(purse.available)),
            "held": str(to_decimal(purse.held)),
            "currency": Currency.UZS.value,
        }


class Nothing(APIView):
    """Whatever the method, and whoever asks."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, *_request: Any, **_from_address: Any) -> None:
        raise Http404
