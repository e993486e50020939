from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.forms import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import alarms, factors, organizers, services
from marketplace.accounts.models import OrganizerProfile, PasswordHistory, PayoutLock, SecurityEvent, User
from marketplace.accounts.pictures import PictureField
from marketplace.accounts.selectors import is_staff_with, person
from marketplace.accounts.trail import Kind
from marketplace.core.admin import ReadOnlyAdmin


class PersonForm(UserChangeForm):
    class Meta(UserChangeForm.Meta):
        # Django's own field for names does not know people without one.
        field_classes: ClassVar[dict[str, type[Field]]] = {"avatar": PictureField}


class PasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:  # noqa: ARG002, FBT001, FBT002
        """Through the service, which ends what is open under the old one."""
        user: User = self.user
        is_usable = self.cleaned_data.get("set_usable_password", True)
        services.change_password(
            user=user,
            password=self.cleaned_data["password1"] if is_usable else None,
            told=Kind.PASSWORD_SET_BY_STAFF,
        )
        return user


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form = PersonForm
    change_password_form = PasswordForm
    ordering = ["-created_at"]
    list_display = [
        "email",
        "full_name",
        "handle",
        "plan",
        "is_verified",
        "is_staff",
        "is_active",
        "created_at",
    ]
    list_filter = ["is_active", "is_staff", "is_verified", "plan", "language"]
    search_fields = ["email", "username", "handle", "full_name", "phone_number"]
    readonly_fields = [
        "handle",
        "plan",  # bought, renewed and ended by the services of subscriptions
        "rating",
        "rating_count",
        "total_sales",
        "total_purchases",
        "phone_confirmed_at",
        "created_at",
        "updated_at",
        "last_login",
        "deleted_at",
    ]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (
            _("Person"),
            {
                "fields": [
                    "full_name",
                    "username",
                    "handle",
                    "phone_number",
                    "phone_confirmed_at",
                    "avatar",
                    "language",
                    "timezone",
                ]
            },
        ),
        (
            _("Standing"),
            {"fields": ["plan", "is_verified", "rating", "rating_count", "total_sales", "total_purchases"]},
        ),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Times"), {"fields": ["created_at", "updated_at", "last_login", "deleted_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "full_name", "password1", "password2"]})]

    def delete_model(self, request: HttpRequest, obj: User) -> None:  # noqa: ARG002
        services.delete_by_staff(user=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        for user in queryset:
            services.delete_by_staff(user=user)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nothing of somebody who is deleted is changed: the row is the books'."""
        return super().has_change_permission(request, obj) and not (obj and obj.is_gone)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        if "phone_number" in form.changed_data:
            obj.phone_confirmed_at = None  # nobody but its owner confirms a number
        services.save_by_staff(user=obj, changed=form.changed_data)


@admin.register(PasswordHistory)
class PasswordHistoryAdmin(ReadOnlyAdmin):
    list_display = ["user", "created_at"]
    list_select_related = ["user"]
    fields = ["user", "created_at"]


admin.site.unregister(Authenticator)  # allauth's own shows the secrets, encrypted as they are


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Whose second factors there are, without what is in them. Somebody who has lost theirs is helped here."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    list_filter = ["type"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    actions = ["take_away"]

    def has_take_away_permission(self, request: HttpRequest) -> bool:
        return bool(person(request).has_perm("mfa.delete_authenticator"))

    @admin.action(description=_("Take the chosen second factors away"), permissions=["take_away"])
    def take_away(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        factors.take_away(queryset.select_related("user"))


# Settings say what is offered, and no token is kept.
for one in (SocialApp, SocialToken, SocialAccount):
    admin.site.unregister(one)


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    """Which accounts elsewhere open whose account here. Who has lost theirs gets a letter for a new password."""

    list_display = ["user", "provider", "date_joined", "last_login"]
    list_select_related = ["user"]
    list_filter = ["provider"]
    search_fields = ["user__email", "uid"]
    fields = ["user", "provider", "uid", "date_joined", "last_login"]


@admin.register(PayoutLock)
class PayoutLockAdmin(ReadOnlyAdmin):
    """People who said that somebody else had signed in. Support lifts a lock once it has spoken with them."""

    list_display = ["user", "created_at", "ends_at", "lifted_at", "lifted_by"]
    list_select_related = ["user", "lifted_by"]
    search_fields = ["user__email", "user__handle"]
    actions = ["lift"]

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return is_staff_with(person(request), "accounts.lift_payoutlock")

    @admin.action(description=_("Let payouts go on"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        for lock in queryset:
            alarms.lift(lock_id=lock.pk, actor=person(request))


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """The audit trail. Search by a person's e-mail address or handle, or by a network address."""

    list_display = ["at", "kind", "user", "actor", "address", "device", "object_type", "object_id"]
    list_select_related = ["user", "actor"]
    list_filter = ["kind", "at"]
    date_hierarchy = "at"
    search_fields = ["user__email", "user__handle", "actor__email", "actor__handle", "address", "object_id"]
    show_full_result_count = False
    fields = [
        "at",
        "kind",
        "user",
        "actor",
        "address",
        "device",
        "object_type",
        "object_id",
        "context",
    ]


@admin.register(OrganizerProfile)
class OrganizerAdmin(ReadOnlyAdmin):
    """Who may hold events, and who asked. Moderators decide at their own screen."""

    list_display = [
        "display_name",
        "user",
        "city",
        "status",
        "is_verified",
        "applied_at",
        "decided_at",
        "decided_by",
    ]
    list_select_related = ["user", "decided_by"]
    list_filter = ["status", "is_verified"]
    search_fields = ["display_name", "user__email", "user__handle"]
    actions = ["verify"]

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return is_staff_with(person(request), "accounts.decide_organizer")

    @admin.action(description=_("Note that it was checked who they are"), permissions=["verify"])
    def verify(self, request: HttpRequest, queryset: Any) -> None:
        for profile in queryset:
            organizers.verify(profile_id=profile.pk, actor=person(request))
