"""Who may use a view of the API."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from marketplace.accounts import second_factor
from marketplace.accounts.errors import SecondFactorMissing


class StaffHasSecondFactor(BasePermission):
    """One of the API's defaults: staff who owe a second factor get 403 `second_factor_missing`. Others are not asked."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        if request.user.is_authenticated and second_factor.is_missing(request.user):
            raise SecondFactorMissing(str(request.user.pk))
        return True
