"""Every door of the site; each app's own list says what lies behind."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from marketplace.accounts import organizer_views
from marketplace.core import views as core

urlpatterns = [
    path("health/", core.health, name="health"),
    path("health/live/", core.alive, name="alive"),
    path("live/", core.no_stream, name="live"),
    path("metrics/", core.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("marketplace.accounts.urls_of_allauth")),
    path("", include("marketplace.core.urls")),
    path("me/", include("marketplace.accounts.urls")),
    path("organizer/apply/", organizer_views.apply, name="organizer_apply"),
    path("", include("marketplace.notifications.urls")),
    path("", include("marketplace.ledger.urls")),
    path("", include("marketplace.payments.urls")),
    path("", include("marketplace.games.urls")),
    path("", include("marketplace.listings.urls")),
    path("", include("marketplace.subscriptions.urls")),
    path("", include("marketplace.messaging.urls")),
    path("", include("marketplace.escrow.urls")),
    path("moderation/", include("marketplace.moderation.urls")),
    path("", include("marketplace.storefront.urls")),
    # After the apps whose own lists name an address below /api/ (providers' webhooks): it answers for all the rest.
    path("api/", include("marketplace.api.urls")),
]

handler500 = "marketplace.core.api.errors.server_error"

if settings.DEVELOPER_PAGES:
    # In production the web server or the object store serves these.
    urlpatterns.append(re_path(r"^media/(?P<path>.*)$", core.media))
    urlpatterns.append(path("sandbox/google/", include("marketplace.accounts.google.stand_in_urls")))
