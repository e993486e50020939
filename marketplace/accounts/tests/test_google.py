"""Signing in by Google: who is let in, who is made, who is refused, and that a refusal changes nothing."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core.cache import cache
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from marketplace.accounts import alarms, social, tokens
from marketplace.accounts.google import openid
from marketplace.accounts.models import KnownDevice, SignIn, SignInCode, User
from marketplace.accounts.tests import openid_server
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory, code_of_app, with_app
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.django_db
BEGIN, BACK = "/accounts/google/login/", "/accounts/google/login/callback/"
LOGIN, WAYS, CONFIRM = "/accounts/login/", "/me/ways-in/", "/me/confirm/"
OK, REDIRECT, REFUSED, GONE, CONFLICT, DOWN = 200, 302, 401, 404, 409, 503
FORBIDDEN = 403


@pytest.fixture(scope="module")
def server():
    with openid_server.running() as google:
        yield google


@pytest.fixture
def google(server, settings):
    fresh = openid_server.Google(url=server.url)
    server.__dict__.update(fresh.__dict__)
    openid_server.offered(settings, server)
    cache.clear()
    return server


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


def leaves(client, **form):
    """The address at Google that the press of the button leads to."""
    answer = client.post(BEGIN, form)
    assert answer.status_code == REDIRECT, answer.content
    return answer["Location"]


def presses(address):
    """Somebody agrees at Google: the way back, path and query."""
    answer = requests.get(address, allow_redirects=False, timeout=5)
    assert answer.status_code == REDIRECT, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def comes_back(client, **form):
    """The whole way: the answer of our callback."""
    return client.get(presses(leaves(client, **form)))


def is_signed_in(client):
    return "_auth_user_id" in client.session


def who(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def census():
    """What a refusal must leave as it was."""
    return (
        list(User.objects.order_by("pk").values("pk", "email", "password", "is_verified", "full_name")),
        list(EmailAddress.objects.order_by("pk").values("user", "email", "verified")),
        list(SocialAccount.objects.order_by("pk").values("user", "uid")),
        SignIn.objects.filter(ended_at__isnull=True).count(),
    )


def refused(client, before, answer, status=REFUSED):
    assert answer.status_code == status
    assert "Nothing has changed" in answer.text or "There is an account with your address" in answer.text
    assert not is_signed_in(client)
    assert census() == before


# --- Offered only where it works ----------------------------------------------------------------------


def test_without_credentials_there_is_no_button_and_no_door(client):
    assert "Continue with Google" not in client.get(LOGIN).text
    assert "Continue with Google" not in client.get("/accounts/signup/").text
    assert client.get(BEGIN).status_code == client.post(BEGIN).status_code == GONE
    assert client.get(BACK).status_code == GONE


@pytest.mark.parametrize("path", [LOGIN, "/accounts/signup/"])
def test_the_button_is_a_form_that_the_policy_lets_go_to_google(client, google, path):
    answer = client.get(path)

    assert re.search(r'<form[^>]*method="post" action="/accounts/google/login/"', answer.text)
    assert google.url in re.search(r"form-action ([^;]*)", answer["Content-Security-Policy"]).group(1)


def test_nobody_leaves_for_google_by_a_link(client, google):
    """Else a page of somebody else's could sign a visitor in to a stranger's account."""
    answer = client.get(BEGIN)

    assert answer.status_code == OK
    assert "Continue with Google" in answer.text
    assert google.asked == []


def test_the_button_needs_our_token(google):
    assert Client(enforce_csrf_checks=True).post(BEGIN).status_code == FORBIDDEN


def test_who_asks_chooses_neither_scopes_nor_anything_else(client, google):
    address = client.post(
        BEGIN + "?scope=https://www.googleapis.com/auth/drive&auth_params=prompt%3Dnone%26hd%3Devil.example",
        {"process": "redirect", "scope": "drive"},
    )["Location"]

    asked = parse_qs(urlsplit(address).query)
    assert set(asked["scope"][0].split()) == {"openid", "email", "profile"}
    assert asked["prompt"] == ["select_account"]
    assert "hd" not in asked
    client.get(presses(address))
    assert is_signed_in(client)  # as "login": a process that we do not know is none


def test_each_sign_in_has_a_state_a_nonce_and_a_challenge_of_its_own(client, google):
    first, second = (parse_qs(urlsplit(leaves(client)).query) for _ in range(2))

    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


# --- The first time, and the next -----------------------------------------------------------------------


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_the_first_time_makes_a_person(client, google, settings, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    answer = comes_back(client)

    assert (answer.status_code, answer.url) == (REDIRECT, "/")
    user = who(client)
    assert (user.email, user.full_name, user.language) == ("aziza@gmail.com", "Aziza Karimova", language)
    assert re.fullmatch(r"u-[a-z2-9]{8}", user.handle)
    assert user.is_verified
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    account = SocialAccount.objects.get(user=user)
    assert (account.provider, account.uid) == ("google", "110169484474386276334")
    assert account.extra_data == {"email": "aziza@gmail.com"}


def test_it_is_greeted_like_everybody(client, google, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        comes_back(client)
    run_jobs()

    assert "welcome" in [one.data["kind"] for one in who(client).notifications.all()]


def test_the_next_time_signs_the_same_person_in(client, google):
    comes_back(client)
    first = who(client)
    client.post("/accounts/logout/")
    google.who = openid_server.person(email="other@gmail.com", name="Another Name")

    comes_back(client)

    assert who(client) == first
    assert User.objects.count() == 1
    first.refresh_from_db()
    assert (first.email, first.full_name) == ("aziza@gmail.com", "Aziza Karimova")


def test_no_token_of_googles_is_kept(client, google):
    comes_back(client)

    assert not SocialToken.objects.exists()
    assert "ya29" not in str(dict(client.session.items()))
    assert "1//" not in str(dict(client.session.items()))


def test_the_sign_in_stands_among_ones_sign_ins_and_a_new_device_is_told(
    client, google, django_capture_on_commit_callbacks
):
    comes_back(client)
    user = who(client)
    assert SignIn.objects.filter(user=user, kind="browser").count() == 1
    assert KnownDevice.objects.filter(user=user).count() == 1

    stranger = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    with django_capture_on_commit_callbacks(execute=True):
        stranger.get(presses(leaves(stranger)))
    run_jobs()

    assert is_signed_in(stranger)
    assert "new_sign_in" in [one.data["kind"] for one in user.notifications.all()]


def test_one_comes_back_to_where_one_wanted(client, google):
    assert comes_back(client, next="/me/listings/").url == "/me/listings/"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"]
)
def test_nobody_is_led_elsewhere(client, google, wanted):
    assert comes_back(client, next=wanted).url == "/"


@pytest.mark.parametrize("name", ["", None, "  ", "x" * 300, "<b>Aziza</b>", 7])
def test_a_name_that_is_none_or_too_long_breaks_nothing(client, google, name):
    google.who = openid_server.person(name=name)

    comes_back(client)

    assert len(who(client).full_name) <= 120


def test_the_address_is_kept_in_lower_case(client, google):
    google.who = openid_server.person(email="Aziza@Gmail.com")

    comes_back(client)

    assert who(client).email == "aziza@gmail.com"


def test_an_address_that_others_only_typed_is_no_longer_theirs(client, google):
    typist = UserFactory()
    EmailAddress.objects.create(user=typist, email="aziza@gmail.com", verified=False, primary=False)

    comes_back(client)

    assert who(client).email == "aziza@gmail.com"
    assert [one.email for one in EmailAddress.objects.filter(user=typist)] == [typist.email]


def test_two_windows_at_once_make_one_person_and_no_error(client, google, monkeypatch):
    def collides(*_args):
        raise IntegrityError

    monkeypatch.setattr(social.services, "register", lambda **_: collides())
    before = census()

    refused(client, before, comes_back(client))


# --- An account that is here already ----------------------------------------------------------------------


def test_it_is_opened_when_both_sides_have_confirmed_the_address(
    client, google, django_capture_on_commit_callbacks
):
    user = UserFactory(email="aziza@gmail.com")
    google.who = openid_server.person(email="AZIZA@gmail.com")

    with django_capture_on_commit_callbacks(execute=True):
        comes_back(client)
    run_jobs()

    assert who(client) == user
    assert SocialAccount.objects.get().user == user
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert "account_way_added" in [one.data["kind"] for one in user.notifications.all()]


def test_an_account_that_nobody_confirmed_is_not_handed_over(client, google):
    """Whoever typed the address first knows the password: the owner of the mailbox must not walk into their trap."""
    squatter = UserFactory(email="aziza@gmail.com", is_verified=False)
    EmailAddress.objects.filter(user=squatter).update(verified=False)
    tokens.issue(user=squatter)
    before = census()

    answer = comes_back(client)

    refused(client, before, answer, CONFLICT)
    assert reverse("account_reset_password") in answer.text
    assert not SocialAccount.objects.exists()


def test_the_way_out_that_the_page_names_leaves_nothing_to_the_squatter(client, google, mailoutbox):
    squatter = UserFactory(email="aziza@gmail.com", is_verified=False)
    EmailAddress.objects.filter(user=squatter).update(verified=False)
    theirs = tokens.issue(user=squatter)
    comes_back(client)

    client.post("/accounts/password/reset/", {"email": "aziza@gmail.com"})
    run_jobs()
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mailoutbox[-1].body).group(1)
    page = client.get(link, follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": "Sherlar9902", "password2": "Sherlar9902"})

    squatter.refresh_from_db()
    assert not squatter.check_password(PASSWORD)
    assert squatter.check_password("Sherlar9902")
    spent = client.post("/api/v1/auth/refresh/", {"refresh": theirs.refresh}, content_type="application/json")
    assert spent.status_code == REFUSED


@pytest.mark.parametrize("said", [False, None, "true", "false", 1])
def test_an_address_that_google_has_not_confirmed_opens_and_makes_nothing(client, google, said):
    UserFactory(email="aziza@gmail.com")
    google.who = openid_server.person(email_verified=said)
    before = census()

    refused(client, before, comes_back(client), FORBIDDEN)


def test_and_makes_nobody(client, google):
    google.who = openid_server.person(email_verified=False)
    before = census()

    refused(client, before, comes_back(client), FORBIDDEN)


def test_without_an_address_nobody_is_made(client, google):
    google.who = openid_server.person(email=None, email_verified=None)
    before = census()

    refused(client, before, comes_back(client), FORBIDDEN)


@pytest.mark.parametrize("is_known", [True, False])
def test_whoever_is_switched_off_stays_out(client, google, is_known):
    user = UserFactory(email="aziza@gmail.com", is_active=False)
    if is_known:
        SocialAccount.objects.create(user=user, provider="google", uid="110169484474386276334")
    before = census()

    answer = comes_back(client)

    refused(client, before, answer, FORBIDDEN)
    assert "switched off" in answer.text


def test_a_second_factor_is_asked_for_all_the_same(client, google):
    user = with_app(UserFactory(email="aziza@gmail.com"))

    answer = comes_back(client)

    assert answer.url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of_app()})
    assert who(client) == user


def test_staff_without_a_second_factor_open_no_page_of_staffs(client, google, settings):
    settings.STAFF_SECOND_FACTOR = True
    StaffFactory(email="aziza@gmail.com")
    comes_back(client)

    assert client.get("/admin/").status_code == REDIRECT
    assert client.get("/moderation/").url == "/accounts/2fa/?for=staff"


# --- What is not believed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"aud": "4711-of-another-site.apps.googleusercontent.com"},
        {"aud": openid_server.APP_CLIENT_ID, "azp": openid_server.APP_CLIENT_ID},
        {"aud": [openid_server.CLIENT_ID, "another"], "azp": "another"},
        {"aud": None},
        {"iss": "https://accounts.example.com"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "9" * 300},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(client, google, wrong):
    UserFactory(email="aziza@gmail.com")
    google.changes = wrong
    before = census()

    refused(client, before, comes_back(client))


@pytest.mark.parametrize(
    ("algorithm", "signed_with"), [("RS256", "two"), ("none", "one"), ("HS256", "one"), ("RS512", "one")]
)
def test_a_token_that_google_did_not_sign_opens_nothing(client, google, algorithm, signed_with):
    UserFactory(email="aziza@gmail.com")
    google.algorithm, google.signed_with = algorithm, signed_with
    before = census()

    refused(client, before, comes_back(client))


def test_a_token_longer_than_any_of_googles_is_not_even_read(client, google):
    google.changes = {"picture": "x" * 9000}
    before = census()

    refused(client, before, comes_back(client))
    assert "/oauth2/v3/certs" not in google.asked


def test_a_state_that_is_none_of_this_browsers_opens_nothing(client, google):
    """Else somebody could be signed in to a stranger's account by a link that the stranger has prepared."""
    stranger = Client()
    back = presses(leaves(stranger))
    before = census()

    refused(client, before, client.get(back))
    assert "/token" not in google.asked


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied", "?state=%00&code=%00"]
)
def test_a_made_up_return_opens_nothing(client, google, query):
    leaves(client)
    before = census()

    refused(client, before, client.get(BACK + query))


def test_the_way_back_is_good_once(client, google):
    back = presses(leaves(client))
    client.get(back)
    client.post("/accounts/logout/")
    before = census()

    refused(client, before, client.get(back))


def test_a_code_that_was_used_opens_nothing(client, google):
    back = presses(leaves(client))
    used = parse_qs(urlsplit(back).query)["code"][0]
    google.codes.pop(used)
    before = census()

    refused(client, before, client.get(back))


def test_a_code_of_somebody_elses_sign_in_opens_nothing(client, google):
    """PKCE: the code belongs to the browser that began."""
    stolen = parse_qs(urlsplit(presses(leaves(Client()))).query)["code"][0]
    own = parse_qs(urlsplit(presses(leaves(client))).query)
    before = census()

    refused(client, before, client.get(BACK, {"state": own["state"][0], "code": stolen}))


def test_whoever_says_no_at_google_is_told_that_nothing_has_changed(client, google):
    google.mode = "denied"

    answer = client.get(presses(leaves(client)), follow=True)

    assert "Nothing has changed" in answer.text
    assert not is_signed_in(client)


def test_an_error_of_googles_is_a_page(client, google):
    google.mode = "failing"
    before = census()

    refused(client, before, comes_back(client))


@pytest.mark.parametrize("mode", ["down", "garbage"])
def test_when_google_is_down_the_button_says_so(client, google, mode):
    google.mode = mode

    answer = client.post(BEGIN)

    assert answer.status_code == DOWN
    assert "does not answer" in answer.text


def test_when_google_is_nobody_we_talk_to_the_button_says_so_and_nobody_is_asked(client, google, settings):
    settings.OUTBOUND = ()

    answer = client.post(BEGIN)

    assert answer.status_code == DOWN
    assert google.asked == []


def test_allauth_asks_by_our_own_wire(client, google, settings):
    back = presses(leaves(client))
    before, asked, settings.OUTBOUND = census(), len(google.asked), ()

    refused(client, before, client.get(back))

    assert google.asked[asked:] == [], "the code was not shown to anybody"


@pytest.mark.parametrize("mode", ["down", "garbage"])
def test_when_google_goes_down_on_the_way_nothing_has_changed(client, google, mode):
    back = presses(leaves(client))
    google.mode = mode
    before = census()

    refused(client, before, client.get(back))


def test_when_nobody_is_there_at_all_it_is_a_page_too(client, google, settings):
    settings.GOOGLE_ISSUER = "http://127.0.0.1:9"

    assert client.post(BEGIN).status_code == DOWN


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "ftp://127.0.0.1/"},
        {"token_endpoint": None},
        {"jwks_uri": 7},
    ],
    ids=str,
)
def test_another_issuers_description_is_not_believed(client, google, monkeypatch, wrong):
    about = google.about() | wrong
    monkeypatch.setattr(openid_server.Google, "about", lambda _self: about)

    assert client.post(BEGIN).status_code == DOWN


def test_made_up_keys_make_nobody_busy(client, google):
    for _ in range(3):
        with pytest.raises(openid.ProviderNotBelieved):
            openid.claims_of(_of_an_unknown_key(google), audiences=[openid_server.CLIENT_ID])

    assert google.asked.count("/oauth2/v3/certs") <= 2


def _of_an_unknown_key(google):
    import jwt

    return jwt.encode({"sub": "1"}, openid_server.key("one"), algorithm="RS256", headers={"kid": "made-up"})


# --- Connecting, and taking away --------------------------------------------------------------------------


@pytest.fixture
def user(client):
    user = UserFactory(email="aziza@example.uz")
    client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    return user


def says_again(client):
    return client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def test_connecting_asks_first_who_it_is(client, google, user):
    answer = client.post(BEGIN, {"process": "connect"})

    assert answer.url.startswith("/accounts/reauthenticate/")
    assert not SocialAccount.objects.exists()


def test_after_the_password_it_goes_on_by_itself_and_connects(
    client, google, user, django_capture_on_commit_callbacks
):
    asked = client.post(BEGIN, {"process": "connect"}).url
    address = client.post(asked, {"password": PASSWORD})["Location"]

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.get(presses(address))
    run_jobs()

    assert answer.url == WAYS
    assert SocialAccount.objects.get().user == user
    assert "aziza@gmail.com" in client.get(WAYS).text
    assert "account_way_added" in [one.data["kind"] for one in user.notifications.all()]
    user.refresh_from_db()
    assert user.email == "aziza@example.uz"


def test_what_was_asked_too_long_ago_connects_nothing(client, google, user, monkeypatch):
    says_again(client)
    address = leaves(client, process="connect")
    now, later = int(time.time()), time.time() + 301
    google.changes = {"iat": now}  # the library has a clock of its own
    back = presses(address)
    monkeypatch.setattr(time, "time", lambda: later)

    assert client.get(back).url == WAYS
    assert not SocialAccount.objects.exists()


def test_an_account_that_opens_another_persons_is_not_connected(client, google, user):
    other = UserFactory()
    SocialAccount.objects.create(user=other, provider="google", uid="110169484474386276334")
    says_again(client)

    answer = comes_back(client, process="connect")

    assert answer.status_code == CONFLICT
    assert SocialAccount.objects.get().user == other


def test_visitors_connect_nothing(client, google):
    assert client.post(BEGIN, {"process": "connect"}).url.startswith(LOGIN)
    assert client.post(BEGIN, {"process": "confirm"}).url.startswith(LOGIN)


def disconnect(client, account):
    return client.post(f"{WAYS}{account.pk}/disconnect/")


def test_taking_it_away_asks_first_who_it_is_and_is_told(
    client, google, user, django_capture_on_commit_callbacks
):
    account = SocialAccount.objects.create(
        user=user, provider="google", uid="1", extra_data={"email": "a@gmail.com"}
    )

    assert disconnect(client, account).url.startswith("/accounts/reauthenticate/")
    assert SocialAccount.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        says_again(client)
        disconnect(client, account)
    run_jobs()

    assert not SocialAccount.objects.exists()
    assert "account_way_removed" in [one.data["kind"] for one in user.notifications.all()]


def test_nobody_takes_away_what_is_somebody_elses(client, google, user):
    account = SocialAccount.objects.create(user=UserFactory(), provider="google", uid="1")
    says_again(client)

    disconnect(client, account)

    assert SocialAccount.objects.filter(pk=account.pk).exists()


@pytest.mark.parametrize("wanted", ["word", "https://evil.example/", "//evil.example"])
def test_who_has_said_again_who_they_are_goes_on_to_no_other_place(client, google, wanted):
    comes_back(client)

    assert comes_back(client, process="confirm", next=wanted).url == "/"


def test_the_last_way_in_stays(client, google):
    comes_back(client)
    comes_back(client, process="confirm", next=WAYS)

    answer = disconnect(client, SocialAccount.objects.get())

    assert answer.status_code == CONFLICT
    assert SocialAccount.objects.exists()


def test_the_page_of_ways_takes_a_set_number_of_queries(client, google, user, django_assert_max_num_queries):
    for number in range(5):
        SocialAccount.objects.create(user=user, provider="google", uid=str(number))
    client.get(WAYS)

    with django_assert_max_num_queries(9):
        client.get(WAYS)


# --- People without a password ------------------------------------------------------------------------------


@pytest.fixture
def newcomer(client, google):
    comes_back(client)
    return who(client)


def test_signing_in_by_google_is_no_confirmation(client, newcomer):
    """A stolen session has signed in as well."""
    for path in ("/accounts/password/set/", "/accounts/2fa/totp/activate/"):
        assert client.get(path).url.startswith(CONFIRM), path


def test_a_stolen_session_sets_no_password(client, newcomer):
    client.post("/accounts/password/set/", {"password1": "Sherlar9902", "password2": "Sherlar9902"})

    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()


def test_they_say_by_google_who_they_are_and_go_on(client, newcomer):
    assert "Continue with Google" in client.get(CONFIRM).text

    answer = comes_back(client, process="confirm", next="/accounts/password/set/")

    assert answer.url == "/accounts/password/set/"
    assert client.get("/accounts/password/set/").status_code == OK
    client.post("/accounts/password/set/", {"password1": "Sherlar9902", "password2": "Sherlar9902"})
    newcomer.refresh_from_db()
    assert newcomer.check_password("Sherlar9902")
    assert is_signed_in(client)


def test_what_they_had_sent_goes_on_by_itself(client, newcomer):
    asked = client.post(
        "/accounts/password/set/", {"password1": "Sherlar9902", "password2": "Sherlar9902"}
    ).url
    wanted = parse_qs(urlsplit(asked).query)["next"][0]

    comes_back(client, process="confirm", next=wanted)

    newcomer.refresh_from_db()
    assert newcomer.check_password("Sherlar9902")


def test_another_google_account_confirms_nothing(client, google, newcomer):
    google.who = openid_server.person(sub="2", email="attacker@gmail.com")

    answer = comes_back(client, process="confirm", next="/accounts/password/set/")

    assert answer.status_code == FORBIDDEN
    assert client.get("/accounts/password/set/").url.startswith(CONFIRM)
    assert User.objects.count() == 1


def test_not_even_one_with_the_same_address(client, google, newcomer):
    google.who = openid_server.person(sub="2")

    assert comes_back(client, process="confirm").status_code == FORBIDDEN
    assert SocialAccount.objects.count() == 1


def test_a_form_with_the_question_in_it_sends_them_there(client, newcomer):
    page = client.get("/wallet/withdraw/").text

    assert CONFIRM in page
    assert 'name="password"' not in page


PAYOUT = {"amount": "50000", "card": "new", "card_number": "8600 0000 0000 0007"}


def test_no_money_leaves_before_they_have_said_it(client, newcomer):
    page = client.get("/wallet/withdraw/")
    key = re.search(r'name="key" value="([^"]*)"', page.text)

    answer = client.post("/wallet/withdraw/", PAYOUT | {"key": key.group(1) if key else ""})

    assert answer.status_code == 422
    assert "Say first who you are." in answer.text


def test_nor_by_a_program_that_has_nothing_to_ask_them_for(client, newcomer):
    headers = {"Authorization": f"Bearer {tokens.issue(user=newcomer).access}"}
    body = {"amount": "50000.00", "card_number": "8600 0000 0000 0007"}

    answer = Client().post(
        "/api/v1/payments/withdraw/", body, content_type="application/json", headers=headers
    )

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["password"]


def test_who_has_nothing_to_say_it_with_is_told_how_to_get_it(client):
    user = UserFactory(password="!")
    user.set_unusable_password()
    user.save()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/accounts/password/set/").url.startswith(CONFIRM)
    assert reverse("account_reset_password") in client.get(CONFIRM).text


def test_this_was_not_me_disconnects_what_a_stranger_may_have_connected(client, google, newcomer):
    device = KnownDevice.objects.get(user=newcomer)

    alarms.raise_alarm(token=alarms.token_of(device.pk))

    assert not SocialAccount.objects.exists()


def test_google_is_the_mailbox_so_no_code_is_mailed_to_it(client, google, settings):
    settings.NEW_BROWSER_CODE = True
    comes_back(client)
    client.post("/accounts/logout/")

    elsewhere = Client()
    comes_back(elsewhere)

    assert is_signed_in(elsewhere)
    assert not SignInCode.objects.exists()
