"""Recovery codes: shown once, kept as hashes, good once, and those of before still good."""

import re
import time
from collections import Counter
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from argon2.low_level import Type as Argon2
from argon2.low_level import hash_secret_raw
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client

from marketplace.accounts import factors, recovery
from marketplace.accounts.models import SecurityEvent
from marketplace.accounts.tests.factories import (
    PASSWORD,
    SECRET,
    UserFactory,
    code_of_app,
    recovery_codes,
    with_app,
    with_passkey,
)
from marketplace.core import encryption
from marketplace.core.testing import in_parallel

pytestmark = pytest.mark.django_db
INDEX, SET_UP = "/accounts/2fa/", "/accounts/2fa/totp/activate/"
AGAIN, STEP = "/accounts/reauthenticate/", "/accounts/2fa/authenticate/"
NEW, DOWNLOAD = "/accounts/2fa/recovery-codes/generate/", "/accounts/2fa/recovery-codes/download/"
OK, REFUSED, NOT_ALLOWED = 200, 400, 405
# What django-allauth 65.21.1 makes of this seed.
SEED = "0123456789abcdef" * 5
OF_SEED = [
    "64942586", "03959085", "07990366", "16418492", "08962862", "26762693", "03257366", "85808163",
    "85026242", "60612046",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    """A code that a test has computed is not dead a moment later."""
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def sure(client, user):
    """The person's browser; they have just said again who they are."""
    client.force_login(user)
    client.post(AGAIN, {"password": PASSWORD})
    return client


def row_of(user):
    return Authenticator.objects.get(user=user, type="recovery_codes")


def left(user):
    return row_of(user).wrap().left


def shown_in(page):
    return re.findall(r"<li[^>]*>(\d{4} \d{4} \d{4})</li>", page)


def sets_app_up(client):
    secret = re.search(r'id="secret">([A-Z2-7]{32})<', client.get(SET_UP).text)[1]
    return client.post(SET_UP, {"code": code_of_app(secret)})


def makes_new_ones(client):
    with_app(client.get(INDEX).wsgi_request.user)
    return client.post(NEW)


@pytest.fixture
def hashing(monkeypatch):
    """How many hashes were computed."""
    counted = Counter()

    def counting(*given, **how):
        counted["hashes"] += 1
        return hash_secret_raw(*given, **how)

    monkeypatch.setattr(recovery, "hash_secret_raw", counting)
    return counted


# --- Made and shown -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [sets_app_up, makes_new_ones])
def test_new_codes_stand_in_the_answer_to_what_made_them_and_nowhere_else(sure, user, way):
    answer = way(sure)
    codes = shown_in(answer.text)
    others = [
        sure.get(path, follow=True).text for path in (INDEX, NEW, "/accounts/2fa/recovery-codes/", SET_UP)
    ]

    assert answer.status_code == OK
    assert "no-store" in answer["Cache-Control"]
    assert len(set(codes)) == recovery.COUNT
    assert all(factors.FACTOR.check(user, code) for code in codes)
    assert not [code for code in codes for page in others if code in page or code.replace(" ", "") in page]


def test_who_says_who_they_are_on_the_way_is_shown_their_new_codes_too(client, user):
    with_app(user)
    client.force_login(user)

    asked = client.post(NEW)
    answer = client.post(asked.url, {"password": PASSWORD, "next": NEW})

    (code, *_more) = shown_in(answer.text)
    assert factors.FACTOR.check(user, code)


def test_codes_are_at_rest_nowhere(sure, user):
    codes = shown_in(sets_app_up(sure).text)

    kept = str(row_of(user).data) + str([session.get_decoded() for session in Session.objects.all()])
    kept += str(list(SecurityEvent.objects.values()))

    assert len(codes) == recovery.COUNT
    assert not [code for code in codes if code in kept or code.replace(" ", "") in kept]
    assert set(row_of(user).data) == {"salt", "cost", "hashes"}


def test_they_are_hashed_by_argon2_with_a_salt_of_each_person(user, settings):
    settings.RECOVERY_CODES_COST = (2, 19_456, 1)
    kept = [recovery.hashed(["123456789012"]) for _person in range(2)]

    salts = [bytes.fromhex(one["salt"]) for one in kept]
    wanted = hash_secret_raw(b"123456789012", salts[0], 2, 19_456, 1, 32, Argon2.ID).hex()

    assert kept[0] == {"salt": salts[0].hex(), "cost": [2, 19_456, 1], "hashes": [wanted]}
    assert salts[0] != salts[1]
    assert min(len(salt) for salt in salts) >= 4  # bytes: ASVS 6.5.2


def test_a_second_factor_beside_the_first_leaves_the_codes_as_they_are(sure, user):
    with_passkey(user)
    codes = recovery_codes(user)

    answer = sets_app_up(sure)

    assert answer.url == INDEX
    assert left(user) == recovery.COUNT
    assert factors.FACTOR.check(user, codes[0])


# --- The file -----------------------------------------------------------------------------------------


def test_the_page_hands_its_codes_in_and_gets_them_as_a_file(sure):
    page = sets_app_up(sure).text
    sent = re.findall(r'name="codes" value="([^"]+)"', page)

    file = sure.post(DOWNLOAD, {"codes": sent})

    assert file.text.split("\r\n") == [*shown_in(page), ""]
    assert "attachment" in file["Content-Disposition"]
    assert file["Content-Type"].startswith("text/plain")
    assert "no-store" in file["Cache-Control"]


@pytest.mark.parametrize(
    "sent", [[], ["<b>x</b>"], ["1234 5678 9012\r\nx"], ["1234 5678 9012"] * 11, ["１２３４ 5678 9012"]]
)
def test_nothing_else_becomes_a_file(sure, sent):
    assert sure.post(DOWNLOAD, {"codes": sent}).status_code == REFUSED


def test_the_file_is_for_who_is_signed_in_and_sends_their_own_form(user):
    strict = Client(enforce_csrf_checks=True)
    stranger = strict.post(DOWNLOAD, {"codes": ["1234 5678 9012"]})
    strict.force_login(user)

    assert stranger.status_code == 403
    assert strict.post(DOWNLOAD, {"codes": ["1234 5678 9012"]}).status_code == 403
    assert strict.get(DOWNLOAD).status_code == NOT_ALLOWED
    assert Client().post(DOWNLOAD, {"codes": ["1234 5678 9012"]}).url.startswith("/accounts/login/")


# --- Used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{0}{1}{2}", "{0} {1} {2}", "{0}-{1}-{2}", " {0}\u00a0{1}\t{2} "])
def test_a_code_is_read_however_it_was_written_down(user, written):
    with_app(user)
    code = recovery_codes(user)[7]

    assert factors.FACTOR.check(user, written.format(code[:4], code[4:8], code[8:]))
    assert not factors.FACTOR.check(user, code)
    assert left(user) == recovery.COUNT - 1


def test_a_try_costs_one_hash_and_a_code_of_the_app_none(user, hashing):
    with_app(user)
    codes = recovery_codes(user)
    hashing.clear()

    factors.FACTOR.check(user, "000000000000")
    after_a_guess = hashing["hashes"]
    factors.FACTOR.check(user, codes[9])
    after_the_last = hashing["hashes"]
    factors.FACTOR.check(user, "000000")

    assert (after_a_guess, after_the_last, hashing["hashes"]) == (1, 2, 2)


def test_no_code_is_taken_of_a_set_that_was_replaced_meanwhile(user):
    with_app(user)
    old = recovery_codes(user)
    stale = row_of(user).wrap()
    recovery_codes(user)

    assert not stale.validate_code(old[0])
    assert left(user) == recovery.COUNT


def test_no_code_is_taken_of_a_set_that_was_taken_away_meanwhile(user):
    with_app(user)
    codes = recovery_codes(user)
    stale = row_of(user).wrap()
    row_of(user).delete()

    assert not stale.validate_code(codes[0])


def test_who_has_used_all_is_offered_new_ones(sure, user):
    with_app(user)
    for code in recovery_codes(user):
        assert factors.FACTOR.check(user, code)

    page = sure.get(INDEX).text

    assert "0 codes left" in page
    assert NEW in page
    assert not factors.FACTOR.check(user, "000000000000")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_several_at_the_same_moment_one_gets_in_by_each_code():
    user = with_app(UserFactory())
    codes = recovery_codes(user)

    taken = in_parallel(*[lambda: sum(row_of(user).wrap().validate_code(code) for code in codes)] * 4)

    assert sum(taken) == recovery.COUNT
    assert left(user) == 0


# --- Those of before ------------------------------------------------------------------------------------


def with_seed(user, **data):
    TOTP.activate(user, SECRET)
    data = {"seed": encryption.encrypt(SEED), "used_mask": 0, **data}
    Authenticator.objects.create(user=user, type="recovery_codes", data=data)
    return user


def moves_on():
    import_module("marketplace.accounts.migrations.0010_hashed_recovery_codes").hash_codes(apps, None)


def test_codes_of_before_go_on_opening_the_account_once_each(user):
    with_seed(user, used_mask=0b101, viewed_at=1.5)

    moves_on()

    assert left(user) == 8
    assert [factors.FACTOR.check(user, code) for code in OF_SEED] == [False, True, False] + [True] * 7
    assert not any(factors.FACTOR.check(user, code) for code in OF_SEED)


def test_their_seed_is_gone(user):
    with_seed(user)

    moves_on()

    data = row_of(user).data
    assert set(data) == {"salt", "cost", "hashes"}
    assert data["cost"] == [2, 19_456, 1]


def test_moving_on_twice_and_beside_new_ones_changes_nothing(user):
    with_seed(user)
    with_app(other := UserFactory())
    moves_on()
    was = list(Authenticator.objects.order_by("pk").values())

    moves_on()

    assert list(Authenticator.objects.order_by("pk").values()) == was
    assert left(other) == recovery.COUNT


def test_a_seed_that_no_key_opens_stops_the_move_and_stays(user, settings):
    with_seed(user)
    settings.FERNET_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]

    with pytest.raises(encryption.InvalidToken):
        moves_on()

    assert "seed" in row_of(user).data


def test_a_row_that_has_not_moved_counts_as_used_up_and_breaks_nothing(sure, user):
    with_seed(user)

    assert "0 codes left" in sure.get(INDEX).text
    assert not factors.FACTOR.check(user, OF_SEED[0])
    assert shown_in(sure.post(NEW).text)
