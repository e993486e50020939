"""Telegram, against a stand-in of its Bot API over HTTP: chats are tied by a code, told there, and let go."""

import json
import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.jobs import NotNow
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.notifications import services, telegram
from marketplace.notifications.errors import TelegramOff, TooManyCodes
from marketplace.notifications.models import Notification, TelegramCode, TelegramLink, TelegramUpdate
from marketplace.notifications.services import notify
from marketplace.notifications.tests import telegram_server
from marketplace.notifications.tests.test_notify import WORDS

pytestmark = pytest.mark.django_db
SECRET = "hook-secret_4711"
HOOK = "/telegram/webhook/"
CHAT = 990011


@pytest.fixture(scope="module")
def server():
    with telegram_server.running() as bot:
        yield bot


@pytest.fixture
def bot(server, settings):
    url = server.url
    server.__init__()
    server.url = url
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BOT_NAME = telegram_server.TOKEN, "wibestore_bot"
    settings.TELEGRAM_API_BASE, settings.TELEGRAM_WEBHOOK_SECRET = url, SECRET
    settings.SITE_URL = "https://wibestore.example"
    return server


@pytest.fixture
def user(client):
    user = UserFactory(language="en")
    client.force_login(user)
    return user


def linked(bot, user, chat=CHAT):
    bot.chats.add(chat)
    return TelegramLink.objects.create(user=user, chat_id=chat, name="@aziza")


def brought(client, update, secret=SECRET):
    return client.post(
        HOOK, json.dumps(update), content_type="application/json",
        headers={"X-Telegram-Bot-Api-Secret-Token": secret},
    )  # fmt: skip


def code_of(user):
    return services.make_code(user=user, at=timezone.now())


def due():
    Job.objects.filter(status="pending").update(run_at=timezone.now())
    return run_jobs()


# --- Tying ------------------------------------------------------------------------------------------


def test_a_chat_is_tied_by_the_code_of_the_page_and_greeted(client, user, bot):
    page = client.post("/notifications/telegram/")
    code = page.context["code"]
    assert f"https://t.me/wibestore_bot?start={code}" in page.content.decode()
    assert page["Cache-Control"].count("no-store")

    answer = brought(client, bot.says(1, CHAT, f"/start {code}", username="aziza"))
    run_jobs()

    link = TelegramLink.objects.get()
    assert answer.status_code == 200
    assert (link.user, link.chat_id, link.name) == (user, CHAT, "@aziza")
    assert any("notifications of WibeStore come here" in text for text in bot.texts)
    assert Notification.objects.filter(user=user, type__code="telegram-linked").exists()
    assert "Telegram is connected" in client.get("/notifications/telegram/").content.decode()


def test_the_code_is_kept_as_a_hash(user, bot):
    code = code_of(user)

    assert code not in str(list(TelegramCode.objects.values()))


def test_a_code_works_once(client, user, bot):
    code = code_of(user)
    brought(client, bot.says(1, CHAT, f"/start {code}"))

    brought(client, bot.says(2, CHAT + 1, f"/start {code}"))
    run_jobs()

    assert TelegramLink.objects.get().chat_id == CHAT
    assert "too old or was used" in bot.texts[-1]


def test_a_code_is_too_old_after_ten_minutes(client, user, bot):
    code = services.make_code(user=user, at=timezone.now() - timedelta(minutes=10, seconds=1))

    brought(client, bot.says(1, CHAT, f"/start {code}"))

    assert not TelegramLink.objects.exists()


def test_a_new_code_ends_the_one_before(client, user, bot):
    old = code_of(user)
    code_of(user)

    brought(client, bot.says(1, CHAT, f"/start {old}"))

    assert not TelegramLink.objects.exists()


def test_nobody_gets_more_than_five_codes_in_ten_minutes(client, user, bot):
    for _time in range(5):
        code_of(user)

    with pytest.raises(TooManyCodes):
        code_of(user)
    assert client.post("/notifications/telegram/").status_code == 429


def test_a_chat_may_try_ten_codes_and_not_the_right_one_after_that(client, user, bot):
    code = code_of(user)
    for number in range(10):
        brought(client, bot.says(number + 1, CHAT, f"/start wrong{number}"))

    brought(client, bot.says(50, CHAT, f"/start {code}"))

    assert not TelegramLink.objects.exists()


def test_a_group_is_never_tied(client, user, bot):
    code = code_of(user)

    brought(client, telegram_server.update(1, CHAT, f"/start {code}", kind="group"))

    assert not TelegramLink.objects.exists()


def test_a_chat_that_moves_to_another_account_leaves_the_first_which_is_told(client, user, bot):
    first = UserFactory()
    linked(bot, first)

    brought(client, bot.says(1, CHAT, f"/start {code_of(user)}"))

    assert TelegramLink.objects.get().user == user
    assert Notification.objects.filter(user=first, type__code="telegram-lost").exists()


def test_the_database_ties_a_chat_to_one_person():
    TelegramLink.objects.create(user=UserFactory(), chat_id=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        TelegramLink.objects.create(user=UserFactory(), chat_id=5)


def test_of_a_person_who_was_shut_out_no_code_works(client, user, bot):
    code = code_of(user)
    type(user).objects.filter(pk=user.pk).update(is_active=False)

    brought(client, bot.says(1, CHAT, f"/start {code}"))

    assert not TelegramLink.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_chats_with_one_code_at_once_tie_one(bot):
    user = UserFactory()
    code = code_of(user)

    in_parallel(
        *(
            lambda n=n: services.receive(
                telegram_server.update(n, CHAT + n, f"/start {code}"), at=timezone.now()
            )
            for n in range(1, 5)
        )
    )

    assert TelegramLink.objects.count() == 1
    assert Notification.objects.filter(type__code="telegram-linked").count() == 1


# --- Untying ----------------------------------------------------------------------------------------


def test_stop_lets_the_chat_go(client, user, bot):
    linked(bot, user)

    brought(client, bot.says(1, CHAT, "/stop"))
    run_jobs()

    assert not TelegramLink.objects.exists()
    assert "nothing more comes here" in bot.texts[-1]


def test_the_page_disconnects(client, user, bot):
    linked(bot, user)

    client.post("/notifications/telegram/unlink/")
    run_jobs()

    assert not TelegramLink.objects.exists()
    assert "nothing more comes here" in bot.texts[-1]


def test_who_blocks_the_bot_is_let_go_at_once_and_told_on_the_site(client, user, bot):
    linked(bot, user)

    brought(client, telegram_server.blocked(1, CHAT))

    assert not TelegramLink.objects.exists()
    assert Notification.objects.filter(user=user, type__code="telegram-lost").exists()


# --- What Telegram brings ---------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1], "é"])
def test_without_the_secret_nothing_is_taken(client, user, bot, secret):
    answer = brought(client, bot.says(1, CHAT, f"/start {code_of(user)}"), secret=secret)

    assert answer.status_code == 403
    assert not TelegramLink.objects.exists()
    assert not TelegramUpdate.objects.exists()


def test_an_update_that_comes_again_is_answered_and_does_nothing(client, user, bot):
    update = bot.says(7, CHAT, "/help")

    answers = [brought(client, update).status_code for _time in range(3)]
    run_jobs()

    assert answers == [200, 200, 200]
    assert len(bot.texts) == 1


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "5", '{"update_id": "x"}', '{"update_id": -1}', '{"update_id": true}', '{"update_id": 1e400}',
     '{"update_id": 1, "message": 5}', '{"update_id": 1, "message": {"chat": 5, "text": []}}',
     '{"update_id": 99999999999999999999}', '{"update_id": 1, "my_chat_member": {"chat": {"type": "private"}}}',
     '{"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "text": "/start \\u0000x", "from": "y"}}',
     "[" * 60_000],
)  # fmt: skip
def test_no_body_breaks_the_webhook(client, bot, body):
    answer = client.post(
        HOOK, body, content_type="application/json", headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}
    )

    assert answer.status_code in {200, 400}
    assert not TelegramLink.objects.exists()


def test_a_body_beyond_any_update_is_not_read(client, bot):
    answer = client.post(
        HOOK,
        b'{"update_id": 1}' + b" " * 70_000,
        content_type="application/json",
        headers={"X-Telegram-Bot-Api-Secret-Token": SECRET},
    )

    assert answer.status_code == 400
    assert not TelegramUpdate.objects.exists()


def test_without_a_token_there_is_no_telegram(client, user, settings):
    settings.TELEGRAM_BOT_TOKEN = ""

    with pytest.raises(TelegramOff):
        code_of(user)
    for answer in (
        client.get("/notifications/telegram/"),
        client.post(HOOK, "{}", content_type="application/json"),
    ):
        assert answer.status_code == 404
    assert "Connect Telegram" not in client.get("/notifications/preferences/").content.decode()
    notify(user=user, kind="trade_started", context=WORDS)
    assert not Job.objects.filter(task__endswith="telegram").exists()


# --- Telling ----------------------------------------------------------------------------------------


def test_a_notification_comes_with_a_button_that_opens_the_site(user, bot):
    linked(bot, user)

    told = notify(user=user, kind="trade_paid", context=WORDS, action_url="/trades/1/")
    run_jobs()

    (sent,) = bot.sent
    assert sent["chat_id"] == CHAT
    assert sent["text"].startswith("<b>Paid: hand over the account</b>")
    assert "&lt;b&gt;account&lt;/b&gt;" in sent["text"]
    (button,) = sent["reply_markup"]["inline_keyboard"][0]
    assert button == {"text": "Hand over", "url": "https://wibestore.example/trades/1/"}
    told.refresh_from_db()
    assert told.telegrammed_at


def test_what_no_mail_tells_comes_to_telegram_too(user, bot):
    linked(bot, user)

    notify(user=user, kind="trade_started", context=WORDS)
    run_jobs()

    assert "Somebody is buying your account" in bot.texts[0]


def test_it_is_sent_once_however_often_the_job_runs(user, bot):
    linked(bot, user)
    told = notify(user=user, kind="trade_started", context=WORDS)

    for _time in range(3):
        services.send(notification_id=told.pk)

    assert len(bot.sent) == 1


def test_who_has_no_chat_costs_no_call_and_no_job(user, bot):
    notify(user=user, kind="trade_paid", context=WORDS)

    assert "tasks.notifications.send_telegram" not in run_jobs()
    assert bot.calls == []


def test_who_does_not_want_it_there_does_not_get_it_there(user, bot):
    linked(bot, user)
    services.choose(user=user, choices={("trade_paid", "telegram"): False})

    notify(user=user, kind="trade_paid", context=WORDS)
    run_jobs()

    assert bot.sent == []


def test_a_machine_that_only_we_reach_is_named_in_a_line_instead_of_a_button(user, bot, settings):
    settings.SITE_URL = "http://localhost:8000"
    linked(bot, user)

    notify(user=user, kind="trade_paid", context=WORDS, action_url="/trades/1/")
    run_jobs()

    (sent,) = bot.sent
    assert "reply_markup" not in sent
    assert sent["text"].endswith("http://localhost:8000/trades/1/")


@pytest.mark.parametrize("sign", ["я", "<", "🦊"])
def test_the_longest_text_fits(user, bot, sign):
    linked(bot, user)

    notify(
        user=user, kind="listing_rejected", context={**WORDS, "title": sign * 150, "reason": sign * 9000},
        action_url="/me/listings/",
    )  # fmt: skip
    run_jobs()

    assert len(bot.sent) == 1


def test_a_bot_that_was_blocked_is_not_tried_again(user, bot):
    linked(bot, user)
    bot.blocked.add(CHAT)

    notify(user=user, kind="trade_paid", context=WORDS)
    run_jobs()

    assert not TelegramLink.objects.exists()
    assert Notification.objects.filter(user=user, type__code="telegram-lost").exists()
    assert not Job.objects.exclude(status="done").exists()


def test_too_many_messages_wait_as_long_as_telegram_says(user, bot):
    linked(bot, user)
    told = notify(user=user, kind="trade_started", context=WORDS)
    bot.mode = "busy"
    run_jobs()
    job = Job.objects.get(task="tasks.notifications.send_telegram")
    assert timedelta(seconds=40) < job.run_at - timezone.now() <= timedelta(seconds=47)

    bot.mode = ""
    due()

    told.refresh_from_db()
    assert told.telegrammed_at
    assert len(bot.sent) == 1


@pytest.mark.parametrize("mode", ["down", "mute", "garbage"])
def test_a_telegram_that_is_down_for_a_day_loses_nothing(user, bot, mode, settings):
    linked(bot, user)
    notify(user=user, kind="trade_started", context=WORDS)
    bot.mode = mode
    for _try in range(settings.JOB_MAX_ATTEMPTS + 4):
        due()
    assert Job.objects.get().status == "pending"

    bot.mode = ""
    due()

    assert len(bot.sent) == 1


def test_a_telegram_that_is_not_there_loses_nothing(user, bot, settings):
    linked(bot, user)
    notify(user=user, kind="trade_started", context=WORDS)
    settings.TELEGRAM_API_BASE = "http://127.0.0.1:9"
    due()

    settings.TELEGRAM_API_BASE = bot.url
    due()

    assert len(bot.sent) == 1


@pytest.mark.parametrize("mode", ["", "busy", "down", "mute", "garbage", "unauthorised", "nowhere"])
def test_the_token_is_in_no_log_and_no_error(user, bot, mode, caplog, settings):
    caplog.set_level(logging.DEBUG)
    linked(bot, user)
    notify(user=user, kind="trade_started", context=WORDS)
    bot.mode = mode
    if mode == "unauthorised":
        settings.TELEGRAM_BOT_TOKEN = "4712:another-token-of-nobody"
    if mode == "nowhere":
        settings.TELEGRAM_API_BASE = "http://127.0.0.1:9"
    due()

    kept = caplog.text + str(list(Job.objects.values()))
    assert "send_telegram" in kept
    for token in (telegram_server.TOKEN, "another-token-of-nobody", "very-secret-token"):
        assert token not in kept


@pytest.mark.parametrize("mode", ["down", "mute", "garbage"])
def test_an_error_has_no_cause_that_names_the_address(bot, mode):
    bot.mode = mode

    with pytest.raises(NotNow) as raised:
        telegram.call("sendMessage", chat_id=CHAT, text="x")

    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert telegram_server.TOKEN not in repr(raised.value)


# --- The commands -----------------------------------------------------------------------------------


def test_polling_ties_chats_where_telegram_cannot_reach_us(user, bot, capsys):
    bot.says(31, CHAT, f"/start {code_of(user)}")
    bot.says(32, CHAT, "/help")

    call_command("telegram_poll", "--once")
    call_command("telegram_poll", "--once")
    run_jobs()

    assert TelegramLink.objects.get().user == user
    assert len(bot.texts) == 2  # linked, hello; that it is linked is told on the site and by mail
    assert bot.updates == []


def test_polling_beside_a_webhook_says_what_to_do(bot):
    call_command("telegram_webhook")

    with pytest.raises(CommandError, match="--delete"):
        call_command("telegram_poll", "--once")


def test_the_webhook_is_set_with_its_secret_and_taken_away(bot, capsys):
    call_command("telegram_webhook")
    assert bot.webhook["url"] == "https://wibestore.example/telegram/webhook/"
    assert bot.webhook["secret_token"] == SECRET

    call_command("telegram_webhook", "--delete")

    assert bot.webhook is None
    assert SECRET not in capsys.readouterr().out
