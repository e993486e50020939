"""What others were told about somebody who is gone."""

import uuid
from collections.abc import Iterable

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Notification

# Under which names a notification keeps the name of a person (`kinds.KINDS`).
_NAMES = ("person", "seller", "buyer")
_AT_ONCE = 500


def forget_name(*, name: str, readers: Iterable[uuid.UUID]) -> int:
    """In what these people were told, put "Deleted user" in the place of a name. How many notifications it was.

    Run it in the transaction that deletes the account.
    """
    names = Q()
    for key in _NAMES:
        names |= Q(**{f"data__{key}": name})
    told = Notification.objects.filter(names, user__in=list(readers)).select_related("user")
    rows = [_renamed(row, name) for row in told]
    Notification.objects.bulk_update(rows, ["data", "title", "message"], batch_size=_AT_ONCE)
    return len(rows)


def _renamed(row: Notification, name: str) -> Notification:
    with translation.override(row.user.language):
        nobody = _("Deleted user")
        row.data |= {key: nobody for key in _NAMES if row.data.get(key) == name}
        words = KINDS.get(row.data["kind"])
        if words is None:  # a kind of former times, whose words nobody knows any more
            row.title, row.message = row.title.replace(name, nobody), row.message.replace(name, nobody)
        else:
            row.title, row.message = str(words.title) % row.data, str(words.message) % row.data
    row.title = row.title[:200]
    return row
