"""Asking to hold events, for programs."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts import organizers
from marketplace.accounts.forms import OrganizerForm
from marketplace.accounts.models import OrganizerProfile
from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import said_by, valid


class OrganizerSerializer(serializers.ModelSerializer[OrganizerProfile]):
    """`reason`: why it was rejected, else empty."""

    class Meta:
        model = OrganizerProfile
        fields = [
            "id", "display_name", "bio", "city", "instagram", "is_verified", "status", "reason", "applied_at", "decided_at",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class OrganizerRequest(serializers.Serializer[Any]):
    display_name = serializers.CharField(max_length=80)
    bio = serializers.CharField(max_length=2000)
    city = serializers.CharField(max_length=80)
    instagram = serializers.CharField(max_length=60, required=False, allow_null=True, allow_blank=True)


class Organizer(APIView):
    """GET: one's own application, 404 without one. POST {display_name, bio, city, instagram?}: asks to hold events; 201.

    Again while it waits changes the words, again after a rejection asks anew. 409 `already_organizer`. The rules are the form's.
    """

    def get(self, request: Request) -> Response:
        profile = organizers.profile_of(person(request))
        if profile is None:
            raise Http404
        return Response(OrganizerSerializer(profile).data)

    def post(self, request: Request) -> Response:
        given = valid(OrganizerRequest(data=request.data))
        form = OrganizerForm(data={name: "" if value is None else value for name, value in given.items()})
        if not form.is_valid():
            raise said_by(form)
        profile = organizers.apply(user=person(request), words=form.words, at=timezone.now())
        return Response(OrganizerSerializer(profile).data, status=status.HTTP_201_CREATED)
