"""What `manage.py reconcile` proves about plans."""

from django.db.models import Exists, F, OuterRef, Q, Sum

from marketplace.accounts.models import User
from marketplace.ledger.checks import MOST_ROWS, Proof
from marketplace.ledger.models import Account, Posting
from marketplace.payments.models import Transaction
from marketplace.subscriptions.models import UserSubscription


def sold_plans_equal_their_account() -> Proof:
    """Per currency: what people's histories say they have paid for plans is what stands on the account of sold plans."""
    paid = Transaction.objects.filter(type=Transaction.Type.SUBSCRIPTION, status=Transaction.Status.COMPLETED)
    said = dict(paid.values_list("currency").annotate(total=Sum("amount")))
    postings = Posting.objects.filter(account__kind=Account.Kind.SUBSCRIPTION).values_list(
        "account__currency"
    )
    books = {currency: total for currency, total in postings.annotate(total=Sum("amount")) if total}
    rows = [
        f"{currency}: the books have {books.get(currency, 0)}, people have paid {said.get(currency, 0)}"
        for currency in sorted(books.keys() | said.keys())
        if books.get(currency, 0) != said.get(currency, 0)
    ]
    return Proof("sold plans equal their account", paid.count(), rows)


def paid_periods_have_their_entry() -> Proof:
    """The running period of each subscription points to an entry that took just what it says."""
    current = UserSubscription.objects.current().filter(paid__gt=0)
    taken = Posting.objects.filter(
        entry_id=OuterRef("journal_entry_id"),
        account__kind=Account.Kind.AVAILABLE,
        account__owner_id=OuterRef("user_id"),
        amount=-OuterRef("paid"),
    )
    wrong = current.filter(~Exists(taken))[:MOST_ROWS]
    rows = [f"subscription {row.pk}: {row.paid}, entry {row.journal_entry_id}" for row in wrong]
    return Proof("each running plan was paid as it says", current.count(), rows)


def people_have_the_plan_they_pay_for() -> Proof:
    """Everybody's plan is that of their running subscription, and Free without one."""
    running = UserSubscription.objects.current().filter(user=OuterRef("pk"))
    paying = User.objects.filter(~Q(plan=User.Plan.FREE)).filter(
        ~Exists(running.filter(plan__slug=OuterRef("plan")))
    )
    rows = [f"person {pk}: plan {plan} without a subscription to it" for pk, plan in
            paying.values_list("pk", "plan")[:MOST_ROWS]]  # fmt: skip
    current = UserSubscription.objects.current()
    others = current.exclude(user__plan=F("plan__slug")).values_list("user_id", "plan__slug", "user__plan")
    rows += [f"person {pk}: pays for {slug}, has {plan}" for pk, slug, plan in others[:MOST_ROWS]]
    return Proof("people have the plan they pay for", current.count(), rows[:MOST_ROWS])
