import factory

from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notification, NotificationType


class TypeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = NotificationType
        django_get_or_create = ["code"]

    code = "welcome"
    name = "Welcome"


class NotificationFactory(factory.django.DjangoModelFactory):
    """An unread one, about the wallet."""

    class Meta:
        model = Notification

    user = factory.SubFactory(UserFactory)
    type = factory.SubFactory(TypeFactory)
    title = factory.Sequence(lambda n: f"News number {n}")
    message = "Something has happened."
    data = factory.LazyFunction(lambda: {"kind": "welcome"})
    action_url = "/wallet/"
