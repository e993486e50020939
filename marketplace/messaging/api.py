"""Conversations for programs. What is live stands at /ws/chat/{id}/ (docs/live.md)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.accounts.selectors import public_person
from marketplace.core.api.pagination import Stream
from marketplace.core.api.parsers import StrictJSONParser
from marketplace.core.live import pace
from marketplace.listings import selectors as listings
from marketplace.messaging import selectors, services, serving
from marketplace.messaging.attachments import prepare
from marketplace.messaging.errors import BadAttachment, NotScanned, TooManyMessages
from marketplace.messaging.models import MAX_TEXT, Conversation, Message, Participant
from marketplace.messaging.selectors import Thread
from marketplace.messaging.shown import as_data, with_words


class PersonSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="display_name", read_only=True)
    handle = serializers.CharField(source="public_handle", read_only=True)

    class Meta:
        model = User
        fields = ("id", "name", "handle", "plan")
        read_only_fields = fields


class ChatSerializer(serializers.ModelSerializer[Participant]):
    """A conversation from its reader's side."""

    id = serializers.UUIDField(source="conversation_id", read_only=True)
    listing = serializers.SerializerMethodField()
    other = serializers.SerializerMethodField()
    last_message = serializers.SerializerMethodField()
    unread_count = serializers.IntegerField(source="unread", read_only=True)
    created_at = serializers.DateTimeField(source="conversation.created_at", read_only=True)

    class Meta:
        model = Participant
        fields = (
            "id",
            "listing",
            "other",
            "last_message",
            "last_message_at",
            "unread_count",
            "is_muted",
            "created_at",
        )
        read_only_fields = fields

    def get_listing(self, side: Participant) -> dict[str, Any] | None:
        listing = side.conversation.listing
        return {"id": str(listing.pk), "title": listing.title, "status": listing.status} if listing else None

    def get_other(self, side: Participant) -> dict[str, Any]:
        return dict(PersonSerializer(side.conversation.other(self.context["request"].user)).data)

    def get_last_message(self, side: Participant) -> dict[str, Any] | None:
        last = side.conversation.last_message
        if last is None or (side.cleared_at and last.created_at <= side.cleared_at):
            return None
        return with_words(as_data(last))


class OpenRequest(serializers.Serializer[Any]):
    """About a listing, or with a person."""

    listing_id = serializers.UUIDField(required=False)
    person = serializers.CharField(max_length=40, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give either listing_id or person."))
        return attrs


class SendRequest(serializers.Serializer[Any]):
    text = serializers.CharField(
        max_length=MAX_TEXT, required=False, default="", allow_blank=True, trim_whitespace=True
    )
    client_id = serializers.UUIDField(required=False, default=None)
    send_anyway = serializers.BooleanField(required=False, default=False)
    file = serializers.FileField(required=False, default=None, allow_empty_file=True)


class EditRequest(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_TEXT, allow_blank=True)
    send_anyway = serializers.BooleanField(required=False, default=False)


class ReadRequest(serializers.Serializer[Any]):
    message_id = serializers.UUIDField(required=False, default=None)


class Inbox(Stream):
    ordering = ("-last_message_at", "-id")


def _own(request: Request, conversation_id: UUID) -> tuple[Thread, User]:
    """The thread and its reader, who is one of the two."""
    try:
        found = selectors.thread_of(request.user, conversation_id)
    except Conversation.DoesNotExist:
        raise Http404 from None
    if found.side is None:
        raise Http404
    return found, found.side.user


class Chats(APIView):
    """GET: the inbox, newest first (`?q=`, `?unread=true`). POST {listing_id | person}: 201, or 200 where it is there."""

    def get(self, request: Request) -> Response:
        found = selectors.inbox(
            request.user,
            query=request.query_params.get("q", ""),
            only_unread=request.query_params.get("unread") == "true",
        ).select_related("conversation__last_message__sender")
        pages = Inbox()
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(
            ChatSerializer(page, many=True, context={"request": request}).data
        )

    def post(self, request: Request) -> Response:
        given = OpenRequest(data=request.data)
        given.is_valid(raise_exception=True)
        user = request.user
        assert isinstance(user, User)  # noqa: S101  # nosec B101 (the API's default permission)
        if listing_id := given.validated_data.get("listing_id"):
            listing = listings.listing_for_page(listing_id, viewer=user)
            if listing is None:
                raise Http404
            opened = services.open_about(listing=listing, buyer=user)
        else:
            other = public_person(given.validated_data["person"])
            if other is None:
                raise Http404
            opened = services.open_with(user=user, other=other)
        is_new = opened.last_message_id is None
        return Response(
            _shown(request, user, opened.pk), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )


def _shown(request: Request, user: User, conversation_id: UUID) -> Any:
    side = Participant.objects.select_related(
        "conversation__listing",
        "conversation__buyer",
        "conversation__seller",
        "conversation__last_message__sender",
    ).get(conversation=conversation_id, user=user)
    return ChatSerializer(side, context={"request": request}).data


class Chat(APIView):
    """GET one conversation; DELETE puts it away for oneself."""

    def get(self, request: Request, conversation_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        return Response(_shown(request, user, conversation_id))

    def delete(self, request: Request, conversation_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        services.clear(conversation_id=conversation_id, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Read(APIView):
    """POST {message_id?}: all of the other one's messages, up to this one, are read."""

    def post(self, request: Request, conversation_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        given = ReadRequest(data=request.data)
        given.is_valid(raise_exception=True)
        services.mark_read(
            conversation_id=conversation_id, user=user, up_to=given.validated_data["message_id"]
        )
        return Response(_shown(request, user, conversation_id))


class Messages(APIView):
    """GET: what was said, newest first, by cursor. POST {text?, file?, client_id?, send_anyway?}: 201 with the message.

    A file comes as multipart/form-data. What the contact guard sees is refused with `contact_seen`.
    """

    parser_classes = (StrictJSONParser, MultiPartParser)

    def get(self, request: Request, conversation_id: UUID) -> Response:
        found, _user = _own(request, conversation_id)
        pages = Stream()
        page = pages.paginate_queryset(found.messages(), request, view=self) or []
        return pages.get_paginated_response([with_words(as_data(message)) for message in page])

    def post(self, request: Request, conversation_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        given = SendRequest(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        if wait := pace.spend(user.pk):
            raise TooManyMessages(str(user.pk), retry_after=wait)
        try:
            attachment = prepare(data["file"]) if data["file"] else None
        except NotScanned:
            raise
        except BadAttachment as error:
            raise serializers.ValidationError({"file": [str(error.message)]}) from error
        said = services.send(
            conversation_id=conversation_id,
            sender=user,
            text=data["text"],
            client_id=data["client_id"],
            attachment=attachment,
            send_anyway=data["send_anyway"],
        )
        return Response(as_data(said), status=status.HTTP_201_CREATED)


class OneMessage(APIView):
    """PATCH {text}: change one's own within 15 minutes. DELETE: take it back for both."""

    def patch(self, request: Request, conversation_id: UUID, message_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        given = EditRequest(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            changed = services.edit(
                conversation_id=conversation_id,
                message_id=message_id,
                sender=user,
                **given.validated_data,
            )
        except Message.DoesNotExist:
            raise Http404 from None
        return Response(as_data(changed))

    def delete(self, request: Request, conversation_id: UUID, message_id: UUID) -> Response:
        _found, user = _own(request, conversation_id)
        try:
            services.take_back(conversation_id=conversation_id, message_id=message_id, sender=user)
        except Message.DoesNotExist:
            raise Http404 from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class MessageFile(APIView):
    """GET: the file of a message, as its page gives it."""

    def get(self, request: Request, conversation_id: UUID, message_id: UUID) -> FileResponse:
        _own(request, conversation_id)
        return serving.file_response(request.user, conversation_id, message_id)
