"""The JSON door: what the apps offer below /api/v1/, and the answer to every other address below /api/.

An app offers its addresses as `api_urls` in its own urls.py; here stands which do.
"""

from django.urls import include, path, re_path

from marketplace.accounts.urls import api_urls as accounts
from marketplace.api import views
from marketplace.core.views import health
from marketplace.escrow.urls import api_urls as escrow
from marketplace.ledger.urls import api_urls as ledger
from marketplace.listings.urls import api_urls as listings
from marketplace.messaging.urls import api_urls as messaging
from marketplace.notifications.urls import api_urls as notifications
from marketplace.payments.urls import api_urls as payments
from marketplace.subscriptions.urls import api_urls as subscriptions

app_name = "api"
v1 = [
    *accounts,
    *escrow,
    *ledger,
    *listings,
    *messaging,
    *notifications,
    *payments,
    *subscriptions,
    path("profile/", views.Profile.as_view(), name="profile"),
]
urlpatterns = [
    path("health/", health, name="health"),
    path("v1/", include(v1)),
    re_path(r"", views.Nothing.as_view()),
]
