from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.money import Money
from marketplace.subscriptions import services
from marketplace.subscriptions.models import SubscriptionPlan, UserSubscription


@admin.register(SubscriptionPlan)
class SubscriptionPlanAdmin(admin.ModelAdmin):
    """Prices, fees and benefits. The plans themselves are fixed: `User.plan` knows these three."""

    list_display = ["name", "slug", "month", "year", "fee", "is_active"]
    readonly_fields = ["slug", "created_at", "updated_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def save_model(self, request: HttpRequest, obj: SubscriptionPlan, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        services.save_plan(plan=obj)

    @admin.display(description=_("price for a month"), ordering="price_monthly")
    def month(self, plan: SubscriptionPlan) -> str:
        return str(Money(plan.price_monthly, SubscriptionPlan.CURRENCY))

    @admin.display(description=_("price for a year"), ordering="price_yearly")
    def year(self, plan: SubscriptionPlan) -> str:
        return str(Money(plan.price_yearly, SubscriptionPlan.CURRENCY))

    @admin.display(description=_("fee of a sale"), ordering="commission_basis_points")
    def fee(self, plan: SubscriptionPlan) -> str:
        return f"{plan.percent} %"


@admin.register(UserSubscription)
class UserSubscriptionAdmin(ReadOnlyAdmin):
    """Staff read who has which plan; it changes through the person's own steps and the clock."""

    list_display = ["user", "plan", "period", "status", "starts_at", "ends_at", "due_at", "auto_renew", "sum"]
    list_filter = ["status", "plan", "period", "auto_renew"]
    list_select_related = ["user", "plan"]
    search_fields = ["=id", "user__email"]
    date_hierarchy = "created_at"
    ordering = ["-id"]

    @admin.display(description=_("taken for it"))
    def sum(self, row: UserSubscription) -> str:
        return str(Money(row.paid, SubscriptionPlan.CURRENCY))
