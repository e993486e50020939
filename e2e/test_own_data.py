"""Somebody takes a copy of their data, asks for their account to be deleted, keeps it once, and is gone the second time."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from e2e.people import PASSWORD
from marketplace.accounts import deletion
from marketplace.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_a_copy_to_the_end_of_the_account(visitor, scripts):
    user = UserFactory(
        language="en", full_name="Sardor Toshmatov", email=f"sardor-{scripts}@example.uz".lower()
    )
    person = visitor(scripts=scripts)
    person.logs_in(user.email)

    person.goes_to("/me/")
    person.follows("Your data")
    person.presses("Ask for a copy")
    person.reads_heading("Is it you?")
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Go on")
    person.sees("being made")
    assert person.letters(user.email)[-1].subject == "The copy of your data is ready"
    person.goes_to("/me/privacy/")
    with person.page.expect_download() as fetched:
        person.follows("Fetch the copy")
    assert fetched.value.suggested_filename.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(Path(fetched.value.path()).read_bytes())) as archive:
        (profile,) = json.loads(archive.read("profile.json"))
    assert profile["full_name"] == "Sardor Toshmatov"

    for keeps in (True, False):
        person.goes_to("/me/privacy/")
        person.follows("Delete my account")
        person.page.locator("#id_is_sure").check()
        if person.page.locator("#id_password").count():  # not said a moment ago
            person.page.locator("#id_password").fill(PASSWORD)
        person.presses("Delete my account")
        person.sees("Until then it neither buys nor sells")
        assert person.letters(user.email)[-1].subject == "Your account will be deleted"
        if keeps:
            person.presses("Keep my account")
            person.sees("Your account stays")
            assert person.letters(user.email)[-1].subject == "Your account stays"
    # Two weeks pass, and nobody has the site open: a live page would say that its stream has ended.
    person.goes_to("about:blank")
    assert deletion.erase(user_id=user.pk, at=timezone.now() + timedelta(days=15))
    assert person.letters(user.email)[-1].subject == "Your account is deleted"
    person.goes_to("/me/")
    person.reads_heading("Log in")
    person.writes("Email", user.email)
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Log in", exact=True)
    person.sees("The email address and/or password")
