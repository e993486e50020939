from uuid import uuid4

import factory

from marketplace.accounts.tests.factories import UserFactory
from marketplace.payments.models import PaymentMethod, Transaction


class PaymentMethodFactory(factory.django.DjangoModelFactory):
    """The sandbox, which is there anyway unless a flush has taken it."""

    class Meta:
        model = PaymentMethod
        django_get_or_create = ["code"]

    code = "sandbox"
    name = "Sandbox"
    is_active = True


class DepositFactory(factory.django.DjangoModelFactory):
    """An open top-up of 150 000 soʻm at the sandbox."""

    class Meta:
        model = Transaction

    user = factory.SubFactory(UserFactory)
    amount = 150_000_00
    currency = "UZS"
    type = Transaction.Type.DEPOSIT
    purpose = "deposit"
    payment_method = factory.SubFactory(PaymentMethodFactory)
    idempotency_key = factory.LazyFunction(lambda: uuid4().hex)
