"""What a client sends, once it is in order."""

from typing import Any

from rest_framework import serializers


def valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """The values that a bound serializer has read. Raises ValidationError, which answers 400 with each field's words."""
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
