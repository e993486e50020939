"""The refund desk: staff find a payment, give it back, and decide about refunds that nobody knows about."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger.selectors import balances, house_balance
from marketplace.ledger.tests.factories import spend
from marketplace.notifications.models import Notification
from marketplace.payments import providers, refund_desk, services
from marketplace.payments.errors import (
    OwnRefund,
    ProviderUnavailable,
    RefundAsked,
    RefundNumberUsed,
    RefundOver,
    RefundUnclear,
)
from marketplace.payments.models import Refund, RefundDecision, WebhookEvent
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.services import refunds
from marketplace.payments.tests.factories import DepositFactory
from marketplace.payments.tests.wire import deliver, payload

pytestmark = pytest.mark.django_db

LIST = reverse("payments:desk-payments")


class Refunding(SandboxProvider):
    """A provider that gives money back when asked, as far as the test says."""

    can_refund = can_refund_part = True
    says: object = "re_1"

    def refund(self, _refund):
        if callable(self.says):
            return self.says()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def provider(monkeypatch):
    monkeypatch.setattr(providers, "get", lambda _code: Refunding())
    monkeypatch.setattr(Refunding, "says", "re_1")
    monkeypatch.setattr(Refunding, "can_refund_part", True)
    return Refunding


def clerk():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="refund_payment"))
    return person


@pytest.fixture
def staff(client):
    person = clerk()
    client.force_login(person)
    return person


def paid(amount=150_000_00, **facts):
    """Paid by the sandbox's own call, so that the call is stored."""
    payment = DepositFactory(amount=amount, **facts)
    deliver(payload(payment))
    payment.refresh_from_db()
    return payment


def page_of(payment):
    return reverse("payments:desk-payment", args=[payment.pk])


def send(client, payment, amount="40 000", reason="Paid twice", key=None):
    form = {"key": key or uuid4().hex, "amount": amount, "reason": reason}
    return client.post(page_of(payment), form)


def unclear(payment, provider, amount=150_000_00):
    """A refund that the provider may have made."""
    provider.says = RefundUnclear("the line broke")
    row = services.refund(
        transaction_id=payment.pk, amount=amount, reason="x", actor=StaffFactory(), idempotency_key=uuid4().hex
    )  # fmt: skip
    run_jobs()
    row.refresh_from_db()
    assert row.is_unclear
    return row


def unanswered(payment, provider, *, amount=150_000_00, for_=Refund.GIVE_UP_AFTER):
    """A refund that got no answer at all, for so long."""
    provider.says = ProviderUnavailable("down")
    row = services.refund(
        transaction_id=payment.pk, amount=amount, reason="x", actor=StaffFactory(), idempotency_key=uuid4().hex
    )  # fmt: skip
    Refund.objects.filter(pk=row.pk).update(created_at=timezone.now() - for_)
    row.refresh_from_db()
    return row


def decide(client, row, what, **fields):
    return client.post(reverse(f"payments:desk-refund-{what}", args=[row.pk]), fields)


def books_hold():
    assert [proof.rule for proof in checks.run() if not proof.holds] == []


# --- Who comes in ------------------------------------------------------------------------------------------


def test_the_desk_is_for_those_who_may_refund_payments(client, provider):
    payment = paid()
    row = unclear(payment, provider)
    paths = [LIST, page_of(payment)]
    assert all(client.get(path).status_code == 302 for path in paths)

    payout_clerk = UserFactory(is_staff=True)
    payout_clerk.user_permissions.add(Permission.objects.get(codename="settle_withdrawal"))
    for stranger in (UserFactory(), UserFactory(is_staff=True), payout_clerk):
        client.force_login(stranger)
        assert all(client.get(path).status_code == 403 for path in paths)
        assert send(client, payment).status_code == 403
        assert decide(client, row, "made", number="1", reason="x").status_code == 403
        assert decide(client, row, "not-made", reason="x").status_code == 403

    assert Refund.objects.count() == 1
    assert not RefundDecision.objects.exists()


def test_who_has_left_the_staff_keeps_no_way_in(client, staff):
    staff.is_staff = False
    staff.save()

    assert client.get(LIST).status_code == 403


def test_only_top_ups_stand_here(client, staff):
    payment = paid()
    spend(payment.user, 1_00)
    payout = services.withdraw(
        user=payment.user, amount=100_000_00, card_number="8600000000000007", idempotency_key="w"
    )

    assert client.get(page_of(payout)).status_code == 404
    assert client.get(reverse("payments:desk-payment", args=[uuid4()])).status_code == 404
    assert send(client, payout).status_code == 404
    unknown = reverse("payments:desk-refund-made", args=[uuid4()])
    assert client.post(unknown, {"number": "1", "reason": "x"}).status_code == 404
    assert client.get(unknown).status_code == 405
    assert payout.number not in client.get(LIST).text


# --- Finding -----------------------------------------------------------------------------------------------


def found(client, **query):
    return [row.pk for row in client.get(LIST, query).context["page"]]


def test_a_payment_is_found_by_number_key_address_and_the_providers_number(client, staff):
    payment, other = paid(), paid()

    for text in (
        payment.number,
        f"#{payment.number.lower()}",
        str(payment.pk),
        payment.pk.hex.upper(),
        payment.user.email.upper(),
        payment.provider_transaction_id,
        payment.attempts.get().provider_id,
        f"  {payment.number} ",
    ):
        assert found(client, q=text) == [payment.pk], text
    assert found(client) == [other.pk, payment.pk]


@pytest.mark.parametrize(
    "text", ["zz", "%", "_" * 8, "9" * 100, "@", "a@b.uz", "'; --", "12345678", "٣" * 8, "#"]
)
def test_nonsense_finds_nothing_and_says_so(client, staff, text):
    paid()

    answer = client.get(LIST, {"q": text})

    assert answer.status_code == 200
    assert "No such payment" in answer.text


@pytest.mark.parametrize(("query", "said"), [("a\x00b", "Null characters"), ("x" * 129, "at most 128")])
def test_what_cannot_be_looked_for_is_explained(client, staff, query, said):
    answer = client.get(LIST, {"q": query})

    assert answer.status_code == 422
    assert said in answer.text


def test_payments_are_filtered_by_state_and_by_refunds_to_look_at(client, staff, provider):
    plain, waiting, doubtful, late = paid(), DepositFactory(), paid(), paid()
    unclear(doubtful, provider, 10_000_00)
    unanswered(late, provider)

    assert set(found(client, state="completed")) == {plain.pk, doubtful.pk, late.pk}
    assert found(client, state="pending") == [waiting.pk]
    assert set(found(client, state="refunded")) == {doubtful.pk, late.pk}
    assert found(client, show="unclear") == [doubtful.pk, late.pk]
    assert found(client, show="unclear", q=plain.number) == []
    assert len(found(client, state="nonsense", show="else")) == 4
    page = client.get(LIST)
    assert page.context["unclear"] == 2
    assert page.text.count("Refund to look at</span>") == 2


def test_a_refund_that_is_asked_for_today_is_not_one_to_look_at(client, staff, provider):
    unanswered(paid(), provider, for_=timedelta(days=2, hours=23))

    assert found(client, show="unclear") == []


def test_the_list_costs_the_same_however_long(client, django_assert_num_queries):
    client.force_login(StaffFactory())
    for _number in range(9):
        paid()

    with django_assert_num_queries(8):
        assert client.get(LIST).text.count("150\u00a0000") == 9


def test_a_payment_costs_the_same_whatever_has_happened_to_it(client, provider, django_assert_num_queries):
    client.force_login(StaffFactory())
    payment = paid()
    for _number in range(4):
        unclear(payment, provider, 20_000_00)
    client.get(LIST)

    with django_assert_num_queries(12):
        page = client.get(page_of(payment))

    assert len(page.context["waiting"]) == 4


# --- One payment -------------------------------------------------------------------------------------------


def test_the_page_tells_all_that_is_known(client, staff, provider):
    payment = paid()
    spend(payment.user, 30_000_00)
    send(client, payment)
    run_jobs()

    page = client.get(page_of(payment)).text

    for said in (
        payment.user.display_name, payment.user.email, payment.provider_transaction_id, "Paid twice",
        staff.display_name, "re_1", "80\u00a0000", "answered 200", "Processed",
    ):  # fmt: skip
        assert said in page, said


def test_the_calls_of_a_payment_are_those_that_name_it(client, provider):
    payment, other = paid(), paid()
    late = WebhookEvent.objects.create(provider="sandbox", body=b"{}", query=f"account={payment.pk}")
    WebhookEvent.objects.create(provider="click", body=str(payment.pk).encode())
    payment.attempts.update(provider_id="tx-5550001")
    by_number = WebhookEvent.objects.create(provider="sandbox", body=b'{"id": "tx-5550001"}')

    calls = refund_desk.case(payment.pk).calls

    assert len(calls) == 3
    assert [one.pk for one in calls][1:] == [late.pk, by_number.pk]
    assert len(refund_desk.case(other.pk).calls) == 1


# --- Giving back -------------------------------------------------------------------------------------------


def test_a_payment_is_given_back_on_its_page(client, staff, provider):
    payment = paid()
    assert "At most 150\u00a0000" in client.get(page_of(payment)).text

    answer = send(client, payment)

    assert answer.status_code == 302
    assert balances(payment.user).available == 110_000_00
    row = Refund.objects.get()
    assert (row.actor, row.reason, row.amount) == (staff, "Paid twice", 40_000_00)
    assert "is on its way to the payer" in client.get(page_of(payment)).text
    run_jobs()
    row.refresh_from_db()
    assert row.status == "succeeded"
    books_hold()


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"amount": "150 001"}, "amount", "More than was paid"),
        ({"amount": "x"}, "amount", "Enter an amount"),
        ({"amount": "0"}, "amount", "Enter at least"),
        ({"amount": "-5"}, "amount", "Enter an amount"),
        ({"amount": "NaN"}, "amount", "Enter an amount"),
        ({"amount": ""}, "amount", "This field is required"),
        ({"reason": " "}, "reason", "it is kept with your name"),
        ({"reason": "x" * 201}, "reason", "at most 200"),
    ],
)
def test_a_wrong_field_is_explained_beside_it_and_moves_nothing(client, staff, provider, fields, field, said):
    payment = paid()

    answer = send(client, payment, **fields)

    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors[field])
    assert f'id="id_{field}_error"' in answer.text
    assert not Refund.objects.exists()


def test_a_form_sent_twice_refunds_once_and_after_a_refusal_it_has_a_new_key(client, staff, provider):
    payment = paid()

    for _time in range(2):
        send(client, payment, key="a" * 32)
    refused = send(client, payment, amount="150 000", key="b" * 32)

    assert Refund.objects.count() == 1
    assert refused.context["form"]["key"].value() != "b" * 32


def test_money_that_is_spent_is_explained_beside_the_amount(client, staff, provider):
    payment = paid()
    spend(payment.user, 120_000_00)

    answer = send(client, payment)

    assert answer.status_code == 422
    assert "holds only 30\u00a0000" in str(answer.context["form"].errors["amount"])
    assert not Refund.objects.exists()


def test_a_method_that_gives_only_all_back_says_so(client, staff, provider):
    provider.can_refund_part = False
    payment = paid()

    assert "Only all of it at once" in client.get(page_of(payment)).text
    assert send(client, payment).status_code == 422
    assert send(client, payment, amount="150 000").status_code == 302


def test_a_method_that_gives_nothing_back_has_no_form(client, staff):
    payment = paid()

    page = client.get(page_of(payment)).text

    assert "gives nothing back when we ask" in page
    assert "Amount for the payer" not in page
    assert send(client, payment).status_code == 422
    assert not Refund.objects.exists()


@pytest.mark.parametrize("is_paid", [True, False])
def test_there_is_no_form_where_nothing_is_left_or_nothing_was_paid(client, staff, provider, is_paid):
    payment = paid() if is_paid else DepositFactory()
    if is_paid:
        send(client, payment, amount="150 000")

    page = client.get(page_of(payment)).text

    assert "Amount for the payer" not in page
    assert ("All of it has been given back" in page) == is_paid
    assert send(client, payment, amount="1").status_code == 422


def test_a_contested_payment_and_one_that_bought_something_warn(client, staff, provider):
    payment = paid(contested_at=timezone.now())
    assert "may pay them twice" in client.get(page_of(payment)).text
    assert "paid for something bought" not in client.get(page_of(payment)).text

    payment.purpose = "trade"
    payment.save()

    assert "paid for something bought" in client.get(page_of(payment)).text


def test_nobody_gives_a_payment_of_their_own_back(client, provider):
    owner = StaffFactory()
    client.force_login(owner)
    payment = paid(user=owner)

    assert "somebody else decides" in client.get(page_of(payment)).text
    assert send(client, payment).status_code == 422
    assert not Refund.objects.exists()
    with pytest.raises(OwnRefund):
        services.refund(transaction_id=payment.pk, amount=1_00, reason="x", actor=owner, idempotency_key="k")


# --- What nobody knows -------------------------------------------------------------------------------------


def test_a_refund_that_was_made_counts_as_sent_under_the_providers_number(client, staff, provider):
    payment = paid()
    row = unclear(payment, provider)
    assert "Was the refund of 150\u00a0000" in client.get(page_of(payment)).text

    answer = decide(client, row, "made", number=" re_77 ", reason="Seen in the cabinet")

    row.refresh_from_db()
    assert answer.status_code == 302
    assert (row.status, row.provider_refund_id) == ("succeeded", "re_77")
    assert (row.decision.actor, row.decision.action) == (staff, "made")
    assert house_balance("refunds") == 0
    page = client.get(page_of(payment)).text
    assert "Seen in the cabinet" in page
    assert "Was the refund of" not in page
    assert Notification.objects.filter(user=payment.user, data__kind="refund_sent").exists()
    books_hold()


def test_the_provider_telling_of_it_later_moves_nothing_more(client, staff, provider):
    from marketplace.payments.providers.base import Refund as Told

    payment = paid()
    row = unclear(payment, provider, 50_000_00)
    decide(client, row, "made", number="re_77", reason="Seen")

    told = services.act(
        Told(payment.pk, payment.provider_transaction_id, "UZS", amount=50_000_00, refund_id="re_77"), "sandbox"
    )  # fmt: skip

    assert told.is_repeat
    assert balances(payment.user).available == 100_000_00


def test_a_refund_that_was_not_made_is_back_in_the_wallet(client, staff, provider):
    payment = paid()
    row = unanswered(payment, provider)

    answer = decide(client, row, "not-made", reason="Their support says no")

    row.refresh_from_db()
    payment.refresh_from_db()
    assert answer.status_code == 302
    assert (row.status, row.decision.reason) == ("failed", "Their support says no")
    assert (balances(payment.user).available, payment.refunded) == (150_000_00, 0)
    assert Notification.objects.filter(user=payment.user, data__kind="refund_failed").exists()
    books_hold()


@pytest.mark.parametrize(
    ("what", "fields", "said"),
    [
        ("made", {"reason": "x"}, "by it we know the refund"),
        ("made", {"number": "1"}, "it is kept with your name"),
        ("made", {"number": "1" * 129, "reason": "x"}, "at most 128"),
        ("not-made", {"reason": " "}, "it is kept with your name"),
    ],
)
def test_a_decision_needs_its_words(client, staff, provider, what, fields, said):
    row = unclear(paid(), provider)

    answer = decide(client, row, what, **fields)

    assert answer.status_code == 422
    assert answer.text.count(said) == 1
    assert "<details open>" in answer.text
    row.refresh_from_db()
    assert row.is_unclear
    assert not RefundDecision.objects.exists()


def test_a_number_that_another_refund_has_is_refused_beside_the_field(client, staff, provider):
    payment = paid()
    send(client, payment, amount="10 000")
    run_jobs()
    row = unclear(payment, provider, 20_000_00)

    answer = decide(client, row, "made", number="re_1", reason="Seen")

    assert answer.status_code == 422
    assert "Another refund of this payment has this number" in answer.text
    row.refresh_from_db()
    assert row.is_unclear
    with pytest.raises(RefundNumberUsed):
        services.refund_was_made(refund_id=row.pk, actor=staff, reason="x", provider_refund_id="re_1")


def test_what_was_decided_is_not_decided_again(client, staff, provider):
    payment = paid()
    row = unclear(payment, provider)
    decide(client, row, "not-made", reason="No")

    again = decide(client, row, "not-made", reason="No")
    other = decide(client, row, "made", number="1", reason="Yes")

    assert (again.status_code, other.status_code) == (302, 409)
    assert balances(payment.user).available == 150_000_00
    with pytest.raises(RefundOver):
        services.refund_was_not_made(refund_id=row.pk, actor=clerk(), reason="Me too")
    assert RefundDecision.objects.count() == 1


def test_what_the_provider_has_answered_is_nobodys_decision(client, staff, provider):
    payment = paid()
    send(client, payment)
    run_jobs()

    assert decide(client, Refund.objects.get(), "not-made", reason="x").status_code == 409
    with pytest.raises(RefundOver):
        services.refund_was_not_made(refund_id=Refund.objects.get().pk, actor=staff, reason="x")
    assert balances(payment.user).available == 110_000_00


def test_nobody_decides_while_the_provider_is_still_asked(client, staff, provider):
    payment = paid()
    row = unanswered(payment, provider, for_=timedelta(days=2, hours=23))

    assert "Was the refund of" not in client.get(page_of(payment)).text
    assert decide(client, row, "not-made", reason="x").status_code == 409
    with pytest.raises(RefundAsked):
        services.refund_was_made(refund_id=row.pk, actor=staff, reason="x", provider_refund_id="1")


def test_nobody_decides_about_a_refund_of_their_own(client, provider):
    owner = StaffFactory()
    client.force_login(owner)
    payment = paid(user=owner)
    row = unclear(payment, provider)

    assert "Yes, it was made" not in client.get(page_of(payment)).text
    assert decide(client, row, "made", number="1", reason="x").status_code == 403
    assert decide(client, row, "not-made", reason="x").status_code == 403
    row.refresh_from_db()
    assert row.is_unclear


def test_one_decision_a_refund_and_never_without_a_reason(provider):
    row, actor = unclear(paid(), provider), clerk()

    with pytest.raises(IntegrityError), transaction.atomic():
        RefundDecision.objects.create(refund=row, actor=actor, action="made", reason="")
    RefundDecision.objects.create(refund=row, actor=actor, action="made", reason="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundDecision.objects.create(refund=row, actor=clerk(), action="not_made", reason="y")


def test_a_refund_that_is_made_after_it_was_given_up_leaves_the_wallet_again(provider):
    """The provider answers at last while somebody decides: its word counts, once."""
    payment = paid()
    row = unanswered(payment, provider, amount=50_000_00)

    def answers_meanwhile(_provider):
        services.refund_was_not_made(refund_id=row.pk, actor=clerk(), reason="No")
        return "re_9"

    provider.says = answers_meanwhile
    services.send_refund(refund_id=row.pk)

    def stands():
        payment.refresh_from_db()
        return balances(payment.user).available, payment.refunded

    assert stands() == (100_000_00, 50_000_00)
    assert set(payment.refunds.values_list("status", "is_by_provider")) == {
        ("failed", False), ("succeeded", True),
    }  # fmt: skip
    for number in ("re_9", ""):
        refunds._made_after_all(row.pk, number)
    assert stands() == (100_000_00, 50_000_00)
    books_hold()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_two_people_who_decide_at_once_one_is_heard(provider):
    payment = paid()
    row, one, other = unclear(payment, provider), clerk(), clerk()

    results = in_parallel(
        lambda: services.refund_was_made(refund_id=row.pk, actor=one, reason="x", provider_refund_id="1"),
        lambda: services.refund_was_not_made(refund_id=row.pk, actor=other, reason="y"),
    )

    assert sorted(type(result).__name__ for result in results) == ["Refund", "RefundOver"]
    row.refresh_from_db()
    was_made = row.decision.action == "made"
    assert row.status == ("succeeded" if was_made else "failed")
    assert balances(payment.user).available == (0 if was_made else 150_000_00)
    books_hold()


# --- The admin ---------------------------------------------------------------------------------------------


def test_the_admin_filters_refunds_to_look_at(client, provider):
    client.force_login(StaffFactory())
    doubtful = unclear(paid(), provider)
    provider.says = "re_1"
    payment = paid()
    plain = services.refund(
        transaction_id=payment.pk, amount=1_00, reason="x", actor=None, idempotency_key="k"
    )
    place = reverse("admin:payments_refund_changelist")

    assert set(client.get(place).context["cl"].queryset) == {doubtful, plain}
    assert list(client.get(place, {"clarity": "unclear"}).context["cl"].queryset) == [doubtful]
    assert client.get(reverse("admin:payments_refunddecision_changelist")).status_code == 200
