"""The notifications' door for programs: what one was told, and how one wants to be told."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import choose_from, said_by
from marketplace.core.api.pagination import Pages
from marketplace.core.api.shapes import ShapedMixin
from marketplace.notifications import selectors, services, telegram
from marketplace.notifications.forms import TimesForm
from marketplace.notifications.groups import GROUPS, code_of, group_of, kind_of
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Channel, Notification, NotificationSetting

_TIMES = ("phrase", "quiet_from", "quiet_until", "digest_hour")


class NotificationSerializer(ShapedMixin, serializers.ModelSerializer[Notification]):
    """`type` is the type's code, `group` where it belongs; `action_url` is a path within the site, or ""."""

    type = serializers.CharField(source="type.code", read_only=True)
    icon = serializers.CharField(source="type.icon", read_only=True)
    group = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = [
            "id", "type", "group", "icon", "title", "message", "data", "action_url", "is_read", "read_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_group(self, row: Notification) -> str:
        return selectors.group_of_type(row.type.code)


class PreferenceChanges(serializers.Serializer[Any]):
    """What is not sent stays. `types`: {"<code>": {"app" | "email" | "telegram": true | false}}."""

    types = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField()), required=False
    )
    phrase = serializers.CharField(required=False, allow_blank=True, max_length=200)
    quiet_from = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=8)
    quiet_until = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=8)
    digest_hour = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=23)


class Notifications(APIView):
    """GET: what the person was told, newest first; ?unread=true, ?group=, ?type= filter, ?page= ?limit= page, ?fields= choose.

    `unread` is how many of all are unread.
    """

    def get(self, request: Request) -> Response:
        found = selectors.notifications_of(request.user)
        unread = request.query_params.get("unread", "")
        if unread not in {"", "true", "false"}:
            raise choose_from("unread", ["true", "false"])
        if unread:
            found = found.filter(is_read=unread == "false")
        if group := request.query_params.get("group", ""):
            if group not in GROUPS:
                raise choose_from("group", list(GROUPS))
            found = selectors.in_group(found, group)
        if code := request.query_params.get("type", ""):
            if kind_of(code) not in KINDS:
                raise choose_from("type", [code_of(kind) for kind in KINDS])
            found = found.filter(type__code=code)
        pages = Pages()
        page = pages.paginate_queryset(found, request, view=self)
        rows = NotificationSerializer(page, many=True, context={"request": request}).data
        response = pages.get_paginated_response(rows)
        response.data["unread"] = selectors.unread_count(request.user)
        return response


class Read(APIView):
    """POST, PATCH: marks one as read; the notification as it is now. 404 for anybody else's."""

    def patch(self, request: Request, notification_id: UUID) -> Response:
        return self.post(request, notification_id)

    def post(self, request: Request, notification_id: UUID) -> Response:
        row = get_object_or_404(selectors.notifications_of(request.user), pk=notification_id)
        services.mark_read(user=person(request), notification_id=row.pk)
        row.refresh_from_db(fields=["is_read", "read_at"])
        return Response(NotificationSerializer(row).data)


class ReadAll(APIView):
    """POST -> {"read": how many were unread}."""

    def post(self, request: Request) -> Response:
        return Response({"read": services.mark_all_read(user=person(request))})


class Preferences(APIView):
    """GET, PUT: what the person is told and where, quiet hours, the daily summary, the phrase in the mails.

    PUT changes what it names and leaves the rest; both answer with all of it.
    """

    def get(self, request: Request) -> Response:
        return Response(_preferences(person(request)))

    def put(self, request: Request) -> Response:
        sent = PreferenceChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        user = person(request)
        choices = _choices(sent.validated_data.get("types", {}))
        times = _times(selectors.setting_of(user), sent.validated_data)
        services.save_types(user=user, at=timezone.now(), choices=choices, **times)
        return Response(_preferences(user))


def _choices(types: dict[str, dict[str, bool]]) -> dict[tuple[str, str], bool]:
    """By kind and channel. Raises ValidationError beside `types` for what there is not."""
    choices = {}
    for code, channels in types.items():
        if kind_of(code) not in KINDS:
            raise choose_from("types", [code_of(kind) for kind in KINDS])
        for channel, is_on in channels.items():
            if channel not in Channel.values:
                raise choose_from("types", Channel.values)
            choices[kind_of(code), channel] = is_on
    return choices


def _times(setting: NotificationSetting, sent: dict[str, Any]) -> dict[str, Any]:
    """The page's form on what was sent and what is there: one set of rules."""
    now = TimesForm.values_of(setting)
    values = {name: sent.get(name, now[name]) for name in _TIMES}
    form = TimesForm(data={name: "" if value is None else value for name, value in values.items()})
    if not form.is_valid():
        raise said_by(form)
    return {name: form.cleaned_data[name] for name in _TIMES}


def _preferences(user: User) -> dict[str, Any]:
    setting, choices = selectors.setting_of(user), selectors.choices_of(user)
    shown = {group.code for group in selectors.groups_for(user)}
    return {
        "types": [
            {
                "code": code_of(kind),
                "group": group_of(kind),
                "channels": {
                    channel: {
                        "on": choices[kind, channel] and selectors.reaches(kind, channel),
                        "locked": selectors.is_locked(kind, channel) or not selectors.reaches(kind, channel),
                    }
                    for channel in Channel.values
                },
            }
            for kind in KINDS
            if group_of(kind) in shown
        ],
        "phrase": setting.phrase,
        "quiet_from": _clock(setting.quiet_from),
        "quiet_until": _clock(setting.quiet_until),
        "digest_hour": setting.digest_hour,
        "timezone": user.timezone,
        "telegram": {"available": telegram.is_on(), "linked": selectors.telegram_of(user) is not None},
    }


def _clock(value: Any) -> str | None:
    return value and value.strftime("%H:%M")
