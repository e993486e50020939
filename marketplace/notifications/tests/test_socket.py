"""/ws/notifications/: what programs are told and may say."""

import pytest

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import call, played, session_of, socket, ticket_of
from marketplace.notifications import services
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/ws/notifications/"


@pytest.fixture
def aziza():
    return UserFactory()


def tell(user):
    words = {"card": "8600 •••• 1234", "time": "tomorrow"}
    return services.notify(user=user, kind="payout_card_added", context=words, action_url="/wallet/")


@played
async def test_the_counter_comes_first_and_with_every_notification(aziza):
    await call(tell, aziza)
    async with socket(PATH, ticket=await call(ticket_of, aziza)) as wire:
        assert await wire.hear() == {"event": "unread", "data": {"count": 1}}

        row = await call(tell, aziza)

        told = await wire.hear("new_notification")
        assert (told["id"], told["title"]) == (str(row.pk), "A new payout card was added")
        assert (told["type"], told["action_url"], told["is_read"]) == ("payout-card-added", "/wallet/", False)
        assert told["created_at"].endswith("Z")
        assert await wire.hear("unread") == {"count": 2}


@played
async def test_somebody_elses_notification_is_not_told(aziza):
    stranger = await call(UserFactory)
    async with socket(PATH, ticket=await call(ticket_of, aziza)) as wire:
        await wire.hear("unread")
        await call(tell, stranger)
        await call(tell, aziza)

        assert (await wire.hear("new_notification"))["title"]
        assert await wire.hear("unread") == {"count": 1}
        await wire.say("ping")
        assert (await wire.hear())["event"] == "pong"


@pytest.mark.parametrize("event", ["mark_read", "mark_as_read"])
def test_marking_as_read_tells_all_sockets_of_the_person(aziza, event):
    @played
    async def story():
        row = await call(tell, aziza)
        async with (
            socket(PATH, ticket=await call(ticket_of, aziza)) as wire,
            socket(PATH, ticket=await call(ticket_of, aziza)) as other,
        ):
            for one in (wire, other):
                assert await one.hear("unread") == {"count": 1}

            await wire.say(event, id=str(row.pk))

            for one in (wire, other):
                assert await one.hear("unread") == {"count": 0}
            assert await call(Notification.objects.filter(is_read=True).count) == 1

    story()


@played
async def test_all_can_be_marked_as_read_at_once(aziza):
    for _n in range(3):
        await call(tell, aziza)
    async with socket(PATH, ticket=await call(ticket_of, aziza)) as wire:
        assert await wire.hear("unread") == {"count": 3}

        await wire.say("mark_all_read")

        assert await wire.hear("unread") == {"count": 0}


@pytest.mark.parametrize(
    "wrong", [None, 5, "", "x", "theirs", "01a22434-2afd-7000-902c-88e3d729ab85", {"a": 1}, "\x00"]
)
def test_what_is_not_theirs_or_not_there_is_not_found(aziza, wrong):
    @played
    async def story():
        theirs = await call(tell, await call(UserFactory))
        async with socket(PATH, ticket=await call(ticket_of, aziza)) as wire:
            await wire.say("mark_read", id=str(theirs.pk) if wrong == "theirs" else wrong)

            assert (await wire.hear("error"))["code"] == "not_found"
            assert not await call(Notification.objects.filter(is_read=True).exists)

    story()


@played
async def test_a_browser_may_ask_for_json(aziza):
    async with socket(f"{PATH}?format=json", session=await call(session_of, aziza)) as wire:
        assert await wire.hear("unread") == {"count": 0}
