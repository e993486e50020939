import factory

from marketplace.accounts.models import User

PASSWORD = "Qorbars7741"


class UserFactory(factory.django.DjangoModelFactory):
    """A verified person with a confirmed address and the password above."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.uz")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    language = "en"
    is_verified = True
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def address(self, create, extracted, **kwargs):
        if create:
            self.emailaddress_set.create(email=self.email, verified=True, primary=True)


class StaffFactory(UserFactory):
    """A superuser: may do everything that staff may."""

    is_staff = True
    is_superuser = True
