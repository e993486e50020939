"""Keep recovery codes as hashes: those that people hold are computed once more from their seed, which goes then.

Row by row, each in a transaction of its own, some 0.2 seconds each: nothing waits for it, and broken off it goes on where it
was. Old processes that still run meanwhile cannot read a new row, and what they make has a seed: restart them right after.
Such a row counts as used up, and its owner is offered new codes; or run this once more.

Going back changes nothing: from a hash comes no seed, and the version before cannot read it.
"""

import hmac
import secrets
from hashlib import sha1

from argon2.low_level import Type, hash_secret_raw
from django.db import migrations, transaction

from marketplace.core import encryption

_COST = (2, 19_456, 1)


def codes_of(seed, used_mask):
    """As django-allauth 65 makes them (allauth/mfa/recovery_codes/internal/auth.py), without those that are used."""
    digest = hmac.new(seed.encode("ascii"), None, sha1)
    codes = []
    for number in range(10):
        digest.update(f"{number:3},".encode())
        codes.append(f"{int.from_bytes(digest.digest()[:4], 'big') % 10**8:08}")
    return [code for number, code in enumerate(codes) if not used_mask & 1 << number]


def hash_codes(apps, _schema_editor):
    """Raises InvalidToken where no key of FERNET_KEY opens a seed: better no new version than lost papers."""
    rows = apps.get_model("mfa", "Authenticator").objects.filter(type="recovery_codes")
    rounds, memory, lanes = _COST
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = rows.select_for_update().filter(pk=pk).first()
            if row is None or "seed" not in row.data:
                continue
            salt = secrets.token_bytes(16)
            row.data = {
                "salt": salt.hex(),
                "cost": list(_COST),
                "hashes": [
                    hash_secret_raw(
                        code.encode(), salt, time_cost=rounds, memory_cost=memory, parallelism=lanes, hash_len=32,
                        type=Type.ID,
                    ).hex()
                    for code in codes_of(encryption.decrypt(row.data["seed"]), row.data.get("used_mask", 0))
                ],
            }  # fmt: skip
            row.save(update_fields=["data"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0009_new_browsers"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(hash_codes, migrations.RunPython.noop)]
