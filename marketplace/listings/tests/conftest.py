import pytest

from marketplace.listings import visits


@pytest.fixture(autouse=True)
def _nobody_has_looked():
    visits.forget_all()


@pytest.fixture
def seller(client):
    """A signed-in seller, whose browser `client` is."""
    from marketplace.accounts.tests.factories import UserFactory

    user = UserFactory()
    client.force_login(user)
    return user
