"""The plans, the way to one, and one's own page."""

import re
import time

import pytest
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.ledger import accounts
from marketplace.ledger import selectors as ledger
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.payments import services as payments
from marketplace.payments.models import PaymentMethod, Transaction
from marketplace.subscriptions import rates, services
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from marketplace.subscriptions.tests.factories import MONTH, RICH, buy, plan, plan_of, rich, subscribed

pytestmark = pytest.mark.django_db

PLANS, MINE, CANCEL, RENEWAL = "/plans/", "/me/plan/", "/me/plan/cancel/", "/me/plan/renewal/"


def words(response):
    """What a person reads, in single spaces."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode().partition("<main")[2].partition("</main")[0])
    return re.sub(r"[\s\u00a0]+", " ", text)


def filled(client, path, **changes):
    """The checkout form as a browser would send it."""
    form = client.get(path).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value is not None and value is not False}
    return {**values, "method": "balance", **changes}


# --- The plans ----------------------------------------------------------------------------------------


def test_everybody_sees_three_plans_with_price_and_fee(client):
    text = words(client.get(PLANS))

    for each in ("Free", "Premium", "Pro", "49 000", "149 000", "10%", "8%", "5%", "95%"):
        assert each in text
    assert "Choose Premium" in text


def test_by_the_year_a_month_is_cheaper(client):
    response = client.get(PLANS, {"period": "yearly"})
    text = words(response)

    assert "490 000 soʻm, paid once a year" in text
    assert "40 833" in text
    assert "−16%" in text
    assert "/plans/pro/?period=yearly" in response.content.decode()


@pytest.mark.parametrize("period", ["", "weekly", "\0", "yearly' OR 1=1", "9" * 3000])
def test_an_unknown_period_is_a_month(client, period):
    assert "Paid each month" in words(client.get(PLANS, {"period": period}))


def test_a_switched_off_plan_is_not_shown_and_not_sold(client):
    one = plan("pro")
    one.is_active = False
    services.save_plan(plan=one)
    client.force_login(rich())

    assert "Choose Pro" not in words(client.get(PLANS))
    assert client.get("/plans/pro/").status_code == 404


def test_ones_own_plan_is_marked(client):
    client.force_login(subscribed("premium").user)

    text = words(client.get(PLANS))

    assert "This is your plan" in text
    assert "Choose Premium" not in text


def sell(seller, price, fee=1000):
    """A finished sale, as the books and the seller's history have it."""
    buyer, commission = rich(price), price * fee // 10_000
    entry = post(
        JournalEntry.Kind.RELEASE,
        key=f"sale of {seller.pk}",
        currency="UZS",
        legs={
            accounts.available(buyer.pk): -price,
            accounts.available(seller.pk): price - commission,
            accounts.COMMISSION: commission,
        },
    )
    payments.record(
        user=seller, type=Transaction.Type.SALE, amount=price - commission, currency="UZS", entry=entry
    )


def test_the_comparison_uses_ones_own_sales(client):
    seller = UserFactory()
    sell(seller, 800_000_00)
    client.force_login(seller)

    text = words(client.get(PLANS))

    assert "With sales of 800 000 soʻm, as you had in the last 30 days." in text
    assert "80 000" in text  # Free: ten per cent
    assert "113 000" in text  # Premium: 64 000 and the plan's 49 000


def test_a_visitor_gets_an_example(client):
    assert "With sales of 3 000 000 soʻm in a month, for example." in words(client.get(PLANS))


def test_a_text_of_the_admin_is_shown_as_it_stands_and_escaped(client):
    one = plan("pro")
    one.features = ["<b>Own words</b>", "vip_badge"]
    services.save_plan(plan=one)

    html = client.get(PLANS).content.decode()

    assert "&lt;b&gt;Own words&lt;/b&gt;" in html
    assert "The VIP badge" in html


# --- The way to one -----------------------------------------------------------------------------------


def test_a_visitor_logs_in_first_and_comes_back(client):
    response = client.get("/plans/premium/?period=yearly")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/plans/premium/%3Fperiod%3Dyearly"


def test_paying_from_the_wallet(client):
    user = rich()
    client.force_login(user)

    response = client.post("/plans/premium/", filled(client, "/plans/premium/"))

    assert (response.status_code, response["Location"]) == (302, MINE)
    assert plan_of(user) == "premium"
    assert ledger.balances(user).available == RICH - MONTH["premium"]
    assert "Renews on" in words(client.get(MINE))


def test_a_year_is_kept_from_the_address_to_the_purchase(client):
    user = rich()
    client.force_login(user)

    client.post("/plans/premium/", filled(client, "/plans/premium/?period=yearly"))

    assert UserSubscription.objects.get(user=user).period == "yearly"


def test_a_form_sent_twice_buys_once(client):
    user = rich()
    client.force_login(user)
    form = filled(client, "/plans/premium/")

    client.post("/plans/premium/", form)
    again = client.post("/plans/premium/", form)

    assert again.status_code == 302
    assert ledger.balances(user).available == RICH - MONTH["premium"]


def test_without_the_tick_it_will_not_renew(client):
    user = rich()
    client.force_login(user)
    form = filled(client, "/plans/premium/")
    form.pop("auto_renew")

    client.post("/plans/premium/", form)

    assert UserSubscription.objects.get(user=user).auto_renew is False
    assert "will not be renewed" in words(client.get(MINE))


def test_too_little_money_is_said_beside_the_way_to_pay(client):
    user = rich(10_000_00)
    client.force_login(user)
    assert "Your wallet lacks 39 000 soʻm" in words(client.get("/plans/premium/"))

    response = client.post("/plans/premium/", filled(client, "/plans/premium/"))

    assert response.status_code == 422
    assert response.context["form"].errors["method"]
    assert plan_of(user) == "free"


def test_another_way_to_pay_leads_to_the_gateway_and_waits(client):
    user = UserFactory()
    client.force_login(user)

    response = client.post("/plans/premium/", filled(client, "/plans/premium/", method="sandbox"))

    payment = Transaction.objects.get(user=user)
    assert (response.status_code, response["Location"]) == (302, payment.metadata["payment_url"])
    assert "A payment of 49 000 soʻm is on its way" in words(client.get(MINE))


def test_a_price_that_changed_meanwhile_is_shown_and_agreed_to_anew(client):
    user = rich()
    client.force_login(user)
    form = filled(client, "/plans/premium/")
    one = plan()
    one.price_monthly = 55_000_00
    services.save_plan(plan=one)

    response = client.post("/plans/premium/", form)

    assert response.status_code == 422
    assert "The price has changed" in words(response)
    assert 'name="price" value="5500000"' in response.content.decode()
    shown = response.context["form"]
    again = client.post("/plans/premium/", {**form, **shown.data})
    assert again.status_code == 302
    assert ledger.balances(user).available == RICH - 55_000_00


def test_the_better_plan_shows_what_is_left_of_the_running_one_and_takes_just_that(client, clock):
    user = subscribed("premium").user
    clock.on(days=15)
    client.force_login(user)
    text = words(client.get("/plans/pro/"))
    assert "Left of your plan −24 500 soʻm" in text
    assert "Pay 124 500 soʻm" in text

    form = filled(client, "/plans/pro/")
    clock.on(minutes=3)
    client.post("/plans/pro/", form)

    assert ledger.balances(user).available == RICH - 124_500_00
    assert plan_of(user) == "pro"


def test_what_is_covered_by_the_running_plan_needs_no_way_to_pay(client, clock):
    user = subscribed("premium", Period.YEARLY).user
    client.force_login(user)
    response = client.get("/plans/pro/")
    assert "Nothing is taken" in words(response)
    assert 'type="radio"' not in response.content.decode()

    client.post("/plans/pro/", filled(client, "/plans/pro/"))

    assert (plan_of(user), ledger.balances(user).available) == ("pro", RICH)


def test_a_smaller_plan_is_noted_for_later(client):
    user = subscribed("pro").user
    client.force_login(user)
    assert "Nothing is taken now" in words(client.get("/plans/premium/"))

    response = client.post("/plans/premium/", filled(client, "/plans/premium/"), follow=True)

    text = words(response)
    assert "From then on: Premium, Monthly." in text
    assert "for 49 000 soʻm from your wallet" in text
    assert plan_of(user) == "pro"


def test_ones_own_plan_points_to_its_page(client):
    client.force_login(subscribed("premium").user)

    assert "You have this plan already" in words(client.get("/plans/premium/"))


def test_a_plan_that_is_noted_for_later_says_when_it_begins(client, clock):
    user = subscribed("pro", timezone="UTC").user
    buy(user, "premium")
    client.force_login(user)

    assert "This plan begins on 31 March 2027" in words(client.get("/plans/premium/"))


def test_free_leads_to_ones_own_plan(client):
    client.force_login(UserFactory())

    assert client.get("/plans/free/")["Location"] == MINE


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""}, {"key": "x" * 32}, {"key": "\0"}, {"price": "-1"}, {"price": "9" * 40}, {"price": "x"},
        {"quoted_at": "9" * 18}, {"quoted_at": "\0"}, {"quoted_at": "253402300799"}, {"quoted_at": "0"},
        {"method": "nobody"}, {"method": ""}, {"method": "\0"}, {"method": "kaspi"},
        {"period": "weekly"}, {"period": "\0"}, {"period": "yearly"},
    ],
)  # fmt: skip
def test_a_form_that_was_tampered_with_buys_nothing(client, wrong):
    user = rich()
    client.force_login(user)

    response = client.post("/plans/premium/", filled(client, "/plans/premium/", **wrong))

    assert response.status_code == 422
    assert not UserSubscription.objects.exists()
    assert ledger.balances(user).available == RICH


@pytest.mark.parametrize("slug", ["gold", "PREMIUM", "x" * 500])
def test_a_plan_that_does_not_exist_is_not_found(client, slug):
    client.force_login(UserFactory())

    assert client.get(f"/plans/{slug}/").status_code == 404
    assert client.post(f"/plans/{slug}/").status_code == 404


def test_limits_of_a_method_are_said_beside_it(client):
    PaymentMethod.objects.filter(code="sandbox").update(max_amount=10_000_00)
    client.force_login(UserFactory())

    response = client.post("/plans/premium/", filled(client, "/plans/premium/", method="sandbox"))

    assert response.status_code == 422
    assert "outside the limits" in response.context["form"].errors["method"][0]


# --- One's own ----------------------------------------------------------------------------------------


def test_ones_page_says_when_it_ends_in_ones_own_zone(client, clock):
    bought = subscribed("premium", timezone="Asia/Tashkent")
    client.force_login(bought.user)

    text = words(client.get(MINE))

    assert "Renews on 31 Mar, 14:00 for 49 000 soʻm" in text  # 09:00 in UTC
    assert "1 March 2027 – 31 March 2027" in text
    assert "WibeStore Premium" in text


def test_who_has_no_plan_is_shown_the_way(client):
    client.force_login(UserFactory())

    text = words(client.get(MINE))

    assert "You sell for a fee of 10%" in text
    assert "Nothing paid yet" in text


def test_a_wallet_that_will_not_do_is_said_in_time(client):
    client.force_login(subscribed("premium", left=9_000_00).user)

    assert "Your wallet lacks 40 000 soʻm for the renewal." in words(client.get(MINE))


def test_late_money_is_said_with_its_deadline(client, clock):
    bought = subscribed("premium", left=0, timezone="UTC")
    clock.at = bought.ends_at
    services.auto_renew(subscription_id=bought.pk, at=clock.at)
    client.force_login(bought.user)

    assert "Top up by 3 Apr, 09:00 to keep the plan." in words(client.get(MINE))


def test_the_switch_stops_and_resumes_renewal(client):
    bought = subscribed()
    client.force_login(bought.user)

    client.post(RENEWAL, {"is_on": "0"})
    bought.refresh_from_db()
    assert bought.auto_renew is False

    client.post(RENEWAL, {"is_on": "1"})
    bought.refresh_from_db()
    assert bought.auto_renew is True


@pytest.mark.parametrize("value", ["", "2", "\0", "on"])
def test_the_switch_knows_two_positions(client, value):
    bought = subscribed()
    client.force_login(bought.user)

    assert client.post(RENEWAL, {"is_on": value}).status_code == 302
    bought.refresh_from_db()
    assert bought.auto_renew is True


def test_the_switch_of_somebody_without_a_plan_is_refused(client):
    client.force_login(UserFactory())

    assert client.post(RENEWAL, {"is_on": "1"}).status_code == 409


def test_cancelling_asks_first_and_keeps_the_reason(client):
    bought = subscribed()
    client.force_login(bought.user)
    assert "Cancel Premium?" in words(client.get(CANCEL))
    bought.refresh_from_db()
    assert bought.status == "active"

    client.post(CANCEL, {"reason": "Sold everything"})

    bought.refresh_from_db()
    assert (bought.status, bought.cancel_reason) == ("cancelled", "Sold everything")
    assert "Cancelled, runs to its end" in words(client.get(MINE))


@pytest.mark.parametrize("reason", ["x" * 301, "\0"])
def test_a_reason_that_does_not_fit_is_said_beside_its_field(client, reason):
    bought = subscribed()
    client.force_login(bought.user)

    response = client.post(CANCEL, {"reason": reason})

    assert response.status_code == 422
    bought.refresh_from_db()
    assert bought.status == "active"


def test_without_a_plan_there_is_nothing_to_cancel(client):
    client.force_login(UserFactory())

    assert client.get(CANCEL)["Location"] == MINE
    assert client.post(CANCEL)["Location"] == MINE


@pytest.mark.parametrize("path", [MINE, CANCEL])
def test_ones_own_pages_are_for_who_is_signed_in(client, path):
    assert "/accounts/login/" in client.get(path)["Location"]
    assert client.post(RENEWAL).status_code == 302
    assert not UserSubscription.objects.exists()


def test_nobody_sees_the_payments_of_others(client):
    subscribed("pro")
    client.force_login(UserFactory())

    assert "WibeStore Pro" not in words(client.get(MINE))


def test_a_manager_is_shown_to_people_with_pro_only(client, settings):
    settings.PERSONAL_MANAGER = {"name": "Malika Yusupova", "contact": "@malika"}
    client.force_login(subscribed("pro").user)
    for path in (MINE, "/me/"):
        html = client.get(path).content.decode()
        assert "Malika Yusupova" in html
        assert 'href="https://t.me/malika"' in html

    client.force_login(subscribed("premium").user)
    assert "Malika" not in words(client.get(MINE)) + words(client.get("/me/"))

    settings.PERSONAL_MANAGER = {"name": "", "contact": ""}
    client.force_login(subscribed("pro").user)
    assert "personal manager</h2>" not in client.get(MINE).content.decode()


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("https://wibestore.uz/m", "https://wibestore.uz/m"), ("m@wibestore.uz", "mailto:m@wibestore.uz"),
        ("+998 90 123-45-67", "tel:+998901234567"), ("room 12", ""), ("javascript:alert(1)", ""),
    ],
)  # fmt: skip
def test_a_managers_contact_leads_where_it_can(settings, contact, url):
    from marketplace.subscriptions.manager import manager_of

    settings.PERSONAL_MANAGER = {"name": "M", "contact": contact}

    assert manager_of("pro").url == url


# --- Seen elsewhere -----------------------------------------------------------------------------------


def test_the_sell_form_reckons_with_ones_own_fee(client):
    client.force_login(subscribed("pro").user)

    answer = client.post(
        "/sell/check/price/", {"game": "pubg-mobile", "price": "1 000 000"}, HTTP_HX_REQUEST="true"
    )

    text = re.sub(r"[\s\u00a0]+", " ", answer.content.decode())
    assert "Fee 5%" in text
    assert "950 000" in text


def test_plans_are_linked_from_header_footer_profile_and_wallet(client):
    client.force_login(UserFactory())

    for path, link in [("/", PLANS), ("/", MINE), ("/me/", MINE), ("/wallet/", PLANS), ("/fees/", PLANS)]:
        assert f'href="{link}"' in client.get(path).content.decode(), path


# --- Queries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["visitor", "subscriber"])
def test_the_plans_cost_few_queries(client, who, django_assert_max_num_queries):
    if who == "subscriber":
        client.force_login(subscribed().user)
    client.get(PLANS)

    with django_assert_max_num_queries(2 if who == "visitor" else 9):
        client.get(PLANS)


@pytest.mark.parametrize("count", [1, 25])
def test_ones_page_costs_the_same_for_any_number_of_payments(
    client, clock, count, django_assert_max_num_queries
):
    bought = subscribed(left=30 * MONTH["premium"])
    for _time in range(count):
        clock.at = UserSubscription.objects.get(pk=bought.pk).ends_at
        services.auto_renew(subscription_id=bought.pk, at=clock.at)
    client.force_login(bought.user)
    client.get(MINE)

    with django_assert_max_num_queries(9):
        client.get(MINE)


def test_the_checkout_costs_few_queries(client, django_assert_max_num_queries):
    client.force_login(subscribed("premium").user)
    client.get("/plans/pro/")

    with django_assert_max_num_queries(8):
        client.get("/plans/pro/")


# --- Staff --------------------------------------------------------------------------------------------


def test_staff_changes_price_fee_and_benefits_of_a_plan(client):
    client.force_login(StaffFactory())
    one = plan("pro")
    path = reverse("admin:subscriptions_subscriptionplan_change", args=[one.pk])
    rates.commission("pro")
    form = {
        "name": "Pro", "price_monthly": "16000000", "price_yearly": "160000000", "commission_basis_points": "450",
        "features": '["vip_badge", "Own words"]', "sort_order": "20", "is_active": "on",
    }  # fmt: skip

    response = client.post(path, form)

    assert response.status_code == 302, response.context["adminform"].form.errors
    one.refresh_from_db()
    assert (one.price_monthly, one.commission_basis_points, one.slug) == (16000000, 450, "pro")
    assert "160 000" in words(client.get(PLANS))


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": '{"a": 1}'}, {"features": "[1]"}, {"features": "no json"}, {"price_monthly": "0"},
        {"price_monthly": "-5"}, {"price_yearly": "9" * 25}, {"commission_basis_points": "10001"},
        {"commission_basis_points": "-1"}, {"features": '["' + "x" * 121 + '"]'}, {"name": ""},
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_said_beside_its_field(client, wrong):
    client.force_login(StaffFactory())
    one = plan("pro")
    form = {
        "name": "Pro", "price_monthly": "1", "price_yearly": "1", "commission_basis_points": "1",
        "features": "[]", "sort_order": "20", "is_active": "on",
    }  # fmt: skip

    response = client.post(
        reverse("admin:subscriptions_subscriptionplan_change", args=[one.pk]), {**form, **wrong}
    )

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    one.refresh_from_db()
    assert one.price_monthly == MONTH["pro"]


def test_free_cannot_be_switched_off_nor_cost_anything(client):
    client.force_login(StaffFactory())
    path = reverse("admin:subscriptions_subscriptionplan_change", args=[plan("free").pk])
    form = {"name": "Free", "commission_basis_points": "1000", "features": "[]", "sort_order": "0"}

    off = client.post(path, {**form, "price_monthly": "0", "price_yearly": "0"})
    dear = client.post(path, {**form, "price_monthly": "1", "price_yearly": "1", "is_active": "on"})

    assert (off.status_code, dear.status_code) == (200, 200)
    assert plan("free").is_active


def test_staff_reads_subscriptions_and_changes_none(client):
    client.force_login(StaffFactory())
    bought = subscribed()

    listed = client.get(reverse("admin:subscriptions_usersubscription_changelist"))
    path = reverse("admin:subscriptions_usersubscription_change", args=[bought.pk])

    assert bought.user.display_name in listed.content.decode()
    assert client.get(path).status_code == 200
    assert client.post(path, {"status": "expired"}).status_code == 403
    assert client.get(reverse("admin:subscriptions_subscriptionplan_add")).status_code == 403


def test_a_fee_that_staff_changed_holds_within_a_minute():
    assert rates.commission("free") == 1000
    SubscriptionPlan.objects.filter(slug="free").update(
        commission_basis_points=900
    )  # as another process does

    assert rates.commission("free") == 1000
    rates._rates.expire(time.monotonic() + 61)
    assert rates.commission("free") == 900


def test_asking_for_a_fee_costs_no_query_within_that_minute(django_assert_num_queries):
    rates.commission("free")

    with django_assert_num_queries(0):
        assert [rates.commission(one) for one in User.Plan] == [1000, 800, 500]
