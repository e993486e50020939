"""Model fields whose column holds ciphertext."""

from __future__ import annotations

import json
from typing import Any

from django.core import exceptions
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.core import encryption


class EncryptedTextField(models.TextField):
    """Text that is encrypted on its way to the database and readable on the model.

    It cannot be searched or ordered by: the same text has a new ciphertext each time.
    """

    description = _("Encrypted text")

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Any:
        return None if value is None else self.unpack(encryption.decrypt(value))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encryption.encrypt(self.pack(value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise exceptions.FieldError(f"{self.name} is encrypted: no {lookup_name} lookup can find it.")
        return super().get_lookup(lookup_name)

    def pack(self, value: Any) -> str:
        return str(value)

    def unpack(self, text: str) -> Any:
        return text


class EncryptedJSONField(EncryptedTextField):
    """JSON that is encrypted as a whole."""

    description = _("Encrypted JSON")
    # For the type checker: any JSON goes in and comes out.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_python(self, value: Any) -> Any:
        return value

    def pack(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def unpack(self, text: str) -> Any:
        return json.loads(text)
