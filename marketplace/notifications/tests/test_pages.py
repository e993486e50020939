"""The inbox, its counter in the header, and the developer's page of mails."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import tokens
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.ids import floor_for
from marketplace.notifications import mail, services
from marketplace.notifications.models import Notification, NotificationType
from marketplace.notifications.tests.factories import NotificationFactory, TypeFactory

pytestmark = pytest.mark.django_db
LIST = "/notifications/"


@pytest.fixture
def user(client):
    """A signed-in person, whose browser `client` is."""
    user = UserFactory()
    client.force_login(user)
    return user


def titles(response):
    return [notification.title for notification in response.context["page"]]


def test_a_visitor_is_asked_to_sign_in(client):
    assert client.get(LIST).url == f"{reverse('account_login')}?next={LIST}"


def test_a_person_reads_their_own_news_newest_first(client, user):
    old, new = NotificationFactory(user=user), NotificationFactory(user=user)
    NotificationFactory()

    assert titles(client.get(LIST)) == [new.title, old.title]


def test_an_empty_inbox_says_what_will_stand_here(client, user):
    assert "Nothing here yet" in client.get(LIST).content.decode()
    assert "Nothing unread" in client.get(LIST, {"show": "unread"}).content.decode()


def test_news_are_text_not_markup(client, user):
    NotificationFactory(user=user, title="<script>alert(1)</script>", message="<img src=x onerror=alert(1)>")

    html = client.get(LIST).content.decode()

    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


def test_only_the_unread_are_shown_on_request(client, user):
    NotificationFactory(user=user, is_read=True, read_at=timezone.now())
    unread = NotificationFactory(user=user)

    assert titles(client.get(LIST, {"show": "unread"})) == [unread.title]


@pytest.mark.parametrize(("page", "count"), [("1", 20), ("2", 5), ("99", 5), ("-1", 5), ("x", 20), ("", 20)])
def test_a_page_shows_twenty_and_a_wrong_number_is_no_error(client, user, page, count):
    NotificationFactory.create_batch(25, user=user)

    assert len(titles(client.get(LIST, {"page": page}))) == count


def test_htmx_gets_the_list_alone(client, user):
    NotificationFactory(user=user)

    part = client.get(LIST, headers={"HX-Request": "true", "HX-Target": "notifications"}).content.decode()

    assert part.strip().startswith('<div id="notifications"')
    assert "<html" not in part


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_news(
    client, user, django_assert_max_num_queries, count
):
    NotificationFactory.create_batch(count, user=user)
    client.get(LIST)

    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_opening_marks_as_read_and_leads_to_what_it_is_about(client, user):
    news = NotificationFactory(user=user, action_url="/trades/?side=buying")

    response = client.post(f"{LIST}{news.pk}/")

    news.refresh_from_db()
    assert response.url == "/trades/?side=buying"
    assert news.is_read
    assert news.read_at


def test_opening_news_without_an_address_leads_back_to_the_list(client, user):
    news = NotificationFactory(user=user, action_url="")

    assert client.post(f"{LIST}{news.pk}/").url == LIST


def test_opening_twice_keeps_the_first_time(client, user):
    an_hour_ago = timezone.now() - timedelta(hours=1)
    news = NotificationFactory(user=user, is_read=True, read_at=an_hour_ago)

    client.post(f"{LIST}{news.pk}/")

    news.refresh_from_db()
    assert news.read_at == an_hour_ago


def test_news_of_others_are_not_found_and_stay_unread(client, user):
    foreign = NotificationFactory()

    assert client.post(f"{LIST}{foreign.pk}/").status_code == 404
    assert client.post(f"{LIST}{uuid4()}/").status_code == 404
    services.mark_read(user=user, notification_id=foreign.pk)
    foreign.refresh_from_db()
    assert not foreign.is_read


def test_looking_alone_marks_nothing(client, user):
    news = NotificationFactory(user=user)

    client.get(LIST)

    assert client.get(f"{LIST}{news.pk}/").status_code == 405
    assert client.get(f"{LIST}read-all/").status_code == 405
    assert Notification.objects.filter(is_read=False).count() == 1


def test_all_of_ones_own_are_marked_at_once(client, user):
    NotificationFactory.create_batch(3, user=user)
    foreign = NotificationFactory()

    response = client.post(f"{LIST}read-all/")

    assert response.url == LIST
    assert list(Notification.objects.filter(is_read=False)) == [foreign]


def test_the_header_counts_the_unread(client, user):
    NotificationFactory.create_batch(2, user=user)

    counted = client.get("/me/").content.decode()
    client.post(f"{LIST}read-all/")
    none = client.get("/me/").content.decode()

    assert "Notifications, 2 unread" in counted
    assert "unread" not in none.split("<main")[0]


# --- The developer's page ---------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(mail, "MAIL_DIR", tmp_path / "mail")
    message = EmailMultiAlternatives("Salom", "Matn shu yerda", "a@example.uz", ["b@example.uz"])
    message.attach_alternative("<p>Sahifa shu yerda</p>", "text/html")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1001.eml").write_bytes(message.message().as_bytes())
    (tmp_path / "secret.eml").write_text("Subject: no\n\nno")


def test_a_developer_reads_the_mails_that_were_sent(client, kept):
    listing = client.get("/dev/mail/").content.decode()
    one = client.get("/dev/mail/1001/").content.decode()

    assert "Salom" in listing
    assert "b@example.uz" in listing
    assert "Matn shu yerda" in one or "Sahifa shu yerda" in one


@pytest.mark.parametrize("name", ["2002", "..%2Fsecret", "../secret", "1001.eml", "%00", "٣"])
def test_no_other_file_is_read(client, kept, name):
    assert client.get(f"/dev/mail/{name}/").status_code == 404


def test_the_developers_backend_keeps_the_whole_mail(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mail, "MAIL_DIR", tmp_path)
    message = EmailMultiAlternatives("Salom", "Matn", "a@example.uz", ["b@example.uz"])
    message.attach_alternative("<p>Sahifa</p>", "text/html")

    mail.DeveloperBackend(alias="default").send_messages([message])

    (kept,) = mail.kept_mails()
    assert (kept["to"], kept["subject"]) == ("b@example.uz", "Salom")
    assert kept["plain"].strip() == "Matn"
    assert kept["html"].strip() == "<p>Sahifa</p>"
    assert "b@example.uz" in capsys.readouterr().out


# --- By subject, one at a time ----------------------------------------------------------------------


def by_kind(kind, user, **fields):
    type_ = NotificationType.objects.get(code=kind.replace("_", "-"))
    return NotificationFactory(user=user, type=type_, data={"kind": kind}, **fields)


def test_news_are_shown_by_subject(client, user):
    trade, _listing = by_kind("trade_paid", user), by_kind("listing_approved", user)
    by_kind("listing_waiting", user)

    response = client.get(LIST, {"group": "trades"})

    assert titles(response) == [trade.title]
    counts = {group.code: count for group, count in response.context["groups"]}
    assert (counts["trades"], counts["listings"], counts["money"]) == (1, 1, 0)
    assert "staff" not in counts


def test_a_subject_that_there_is_not_shows_all(client, user):
    by_kind("trade_paid", user)

    assert len(titles(client.get(LIST, {"group": "nonsense"}))) == 1


def test_news_are_grouped_by_the_readers_day(client, user):
    user.timezone = "Asia/Tashkent"
    user.save()
    late = timezone.now().astimezone(user.zone).replace(hour=1, minute=0) - timedelta(days=1)
    by_kind("trade_paid", user, created_at=late)  # in UTC it is the day before

    html = client.get(LIST).content.decode()

    assert "Yesterday" in html
    assert "01:00" in html


def test_one_is_read_without_going_anywhere(client, user):
    news = by_kind("trade_paid", user)

    response = client.post(f"{LIST}{news.pk}/read/")

    news.refresh_from_db()
    assert response.url == LIST
    assert news.is_read


def test_htmx_gets_the_row_as_it_is_now_and_the_counters(client, user):
    news, _other = by_kind("trade_paid", user), by_kind("trade_paid", user)

    response = client.post(
        f"{LIST}{news.pk}/read/", headers={"HX-Request": "true", "HX-Target": f"n-{news.pk}"}
    )

    html = response.content.decode()
    assert html.strip().startswith("<li")
    assert f'id="n-{news.pk}"' in html
    assert "Unread" not in html
    assert html.count('hx-swap-oob="true"') == 2
    assert '<span class="counter">1</span>' in html
    assert "notificationsRead" in response["HX-Trigger"]


def test_reading_those_of_others_is_not_found(client, user):
    foreign = by_kind("trade_paid", UserFactory())

    assert client.post(f"{LIST}{foreign.pk}/read/").status_code == 404
    assert client.get(f"{LIST}{foreign.pk}/read/").status_code == 405
    foreign.refresh_from_db()
    assert not foreign.is_read


def test_what_presses_has_a_button_that_says_what_to_do(client, user):
    by_kind("trade_paid", user)
    assert "Hand over</button>" in client.get(LIST).content.decode()

    services.mark_all_read(user=user)

    assert "Hand over</button>" not in client.get(LIST).content.decode()


def test_news_of_a_kind_that_is_no_more_are_still_shown(client, user):
    NotificationFactory(user=user, type=TypeFactory(code="of-old"), data={})

    assert client.get(LIST).status_code == 200


# --- The API ----------------------------------------------------------------------------------------

API = "/api/v1/notifications/"


@pytest.fixture
def ask(client):
    user = UserFactory()
    headers = {"Authorization": f"Bearer {tokens.issue(user=user).access}"}

    def call(path="", method="get", **query):
        return getattr(client, method)(API + path, query, headers=headers)

    call.user = user
    return call


def test_programs_read_the_list_by_pages(ask):
    for _one in range(3):
        by_kind("trade_paid", ask.user)
    by_kind("trade_paid", UserFactory())

    body = ask(limit=2).json()

    assert (body["count"], body["unread"], len(body["results"])) == (3, 3, 2)
    assert body["next"]
    first = body["results"][0]
    assert (first["type"], first["group"], first["is_read"]) == ("trade-paid", "trades", False)
    assert list(ask(fields="id,title").json()["results"][0]) == ["id", "title"]


@pytest.mark.parametrize(
    ("query", "count"),
    [({"unread": "true"}, 2), ({"unread": "false"}, 1), ({"group": "trades"}, 2), ({"type": "plan-ended"}, 1),
     ({"group": "trades", "unread": "true"}, 1), ({}, 3)],
)  # fmt: skip
def test_programs_filter_the_list(ask, query, count):
    by_kind("trade_paid", ask.user)
    by_kind("trade_paid", ask.user, is_read=True, read_at=timezone.now())
    by_kind("plan_ended", ask.user)

    assert ask(**query).json()["count"] == count


@pytest.mark.parametrize(
    "query", [{"unread": "1"}, {"group": "x"}, {"type": "x"}, {"page": "x"}, {"limit": "0"}]
)
def test_a_filter_that_there_is_not_is_said_beside_its_name(ask, query):
    answer = ask(**query)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == list(query)


def test_programs_mark_one_and_all(ask):
    one, _other = by_kind("trade_paid", ask.user), by_kind("trade_paid", ask.user)
    foreign = by_kind("trade_paid", UserFactory())

    marked = ask(f"{one.pk}/read/", "post").json()

    assert (marked["id"], marked["is_read"]) == (str(one.pk), True)
    assert marked["read_at"]
    assert ask(f"{foreign.pk}/read/", "post").status_code == 404
    assert ask("read-all/", "post").json() == {"read": 1}
    foreign.refresh_from_db()
    assert not foreign.is_read


def test_a_program_without_a_token_is_told_so(client):
    for path, method in (
        ("", "get"),
        ("read-all/", "post"),
        (f"{uuid4()}/read/", "post"),
        ("preferences/", "get"),
    ):
        answer = getattr(client, method)(API + path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def test_the_list_for_programs_costs_few_queries(ask, django_assert_num_queries):
    for _one in range(5):
        by_kind("trade_paid", ask.user)

    with django_assert_num_queries(4):  # person, count, rows, unread
        ask()


# --- What is old ------------------------------------------------------------------------------------


def test_what_is_older_than_ninety_days_is_forgotten_read_or_not(user, monkeypatch):
    now = timezone.now()
    old = [NotificationFactory(user=user, pk=_key(now - timedelta(days=90, minutes=n + 1))) for n in range(7)]
    kept = NotificationFactory(user=user, pk=_key(now - timedelta(days=89, hours=23)))
    monkeypatch.setattr("marketplace.notifications.services.reading.BATCH", 3)

    assert services.forget_old(at=now) == len(old)
    assert list(Notification.objects.all()) == [kept]


def _key(moment):
    return UUID(int=floor_for(moment).int | 0x7 << 76 | uuid4().int & (1 << 60))
