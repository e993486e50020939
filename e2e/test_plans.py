"""Somebody takes a plan, looks at it, changes to a better one and stops it; all of it without scripts."""

import pytest

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger.tests.factories import fund

pytestmark = pytest.mark.e2e
SOM = 100


@pytest.fixture
def aziz(site):
    user = UserFactory(full_name="Aziz Karimov")
    fund(user, 1_000_000 * SOM)
    return user


def test_a_plan_from_the_first_look_to_its_end_without_scripts(visitor, aziz):
    person = visitor(scripts=False)
    person.logs_in(aziz.email)

    person.goes_to("/plans/")
    person.follows("Yearly")
    person.sees("490\u00a0000\u00a0soʻm, paid once a year")
    person.follows("Monthly")
    person.follows("Choose Premium")
    person.presses("Pay 49\u00a0000")
    person.reads_heading("Premium")
    person.sees("Renews on")

    person.follows("Change the plan")
    person.follows("Choose Pro")
    person.sees("Left of your plan")
    person.presses("Pay 100\u00a0000")
    person.reads_heading("Pro")

    person.presses("Do not renew")
    person.sees("will not be renewed")
    person.presses("Renew by itself")
    person.follows("Cancel the plan")
    person.page.locator("#id_reason").fill("Trying it out")
    person.presses("Cancel the plan")
    person.sees("Cancelled, runs to its end")
    assert any("has begun" in letter.subject for letter in person.letters(aziz.email))


def test_a_plan_paid_at_the_gateway(visitor):
    buyer = UserFactory(full_name="Jasur Aliyev")
    person = visitor()
    person.logs_in(buyer.email)

    person.goes_to("/plans/premium/")
    person.page.get_by_label("Sandbox").check()
    person.presses("Pay 49\u00a0000")
    person.page.wait_for_url("**/sandbox/**")
    person.presses("Pay", exact=True)
    person.letters(buyer.email)  # the webhook is a job
    person.goes_to("/me/plan/")
    person.sees("Renews on")
