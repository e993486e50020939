"""The inbox, its counter in the header, and the developer's page of mails."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import mail, services
from marketplace.notifications.models import Notification
from marketplace.notifications.tests.factories import NotificationFactory

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
