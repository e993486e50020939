"""The vault: ciphertext at rest, new keys, and nothing that tells."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from marketplace.core import encryption
from marketplace.listings.models import Credentials
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory


def stored(listing):
    table, pk = Credentials._meta.db_table, Credentials._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account_email, account_password FROM {table} WHERE listing_id = %s",  # noqa: S608 (our own name)
            [pk.get_db_prep_value(listing.pk, connection)],
        )
        return cursor.fetchone()


@pytest.mark.django_db
def test_secrets_are_ciphertext_in_the_table_and_text_on_the_model():
    listing = ListingFactory()

    assert Credentials.objects.get(pk=listing.pk).account_password == PASSWORD
    assert all(LOGIN not in column and PASSWORD not in column for column in stored(listing))


@pytest.mark.django_db
def test_secrets_never_show_in_words_about_them():
    box = Credentials.objects.get(pk=ListingFactory().pk)

    assert PASSWORD not in f"{box!r} {box}"


@pytest.mark.django_db
def test_an_encrypted_column_cannot_be_searched_by_mistake():
    with pytest.raises(FieldError):
        Credentials.objects.filter(account_password=PASSWORD).exists()


@pytest.mark.django_db
def test_after_re_encrypting_the_old_key_can_be_thrown_away(settings):
    listing, old = ListingFactory(), settings.FERNET_KEYS
    new = Fernet.generate_key().decode()
    before = stored(listing)
    settings.FERNET_KEYS = [new, *old]

    call_command("reencrypt", stdout=StringIO())

    settings.FERNET_KEYS = [new]
    assert Credentials.objects.get(pk=listing.pk).account_password == PASSWORD
    assert stored(listing) != before
    settings.FERNET_KEYS = old
    with pytest.raises(encryption.InvalidToken):
        Credentials.objects.get(pk=listing.pk)


@pytest.mark.django_db
def test_re_encrypting_without_the_old_key_says_which_row_and_changes_nothing(settings):
    listing = ListingFactory()
    before = stored(listing)
    settings.FERNET_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match=str(listing.pk)):
        call_command("reencrypt", stdout=StringIO())

    assert stored(listing) == before
