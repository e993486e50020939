"""What stands below /accounts/: allauth's pages, and those of ours that take the place of one of them."""

from django.urls import include, path
from django.views.generic import RedirectView

from marketplace.accounts import way_views

to_ways = RedirectView.as_view(pattern_name="accounts:ways")

urlpatterns = [
    path("password/set/", way_views.set_password),
    # Connected accounts stand with the other ways in.
    path("3rdparty/", to_ways),
    path("", include("allauth.urls")),
]
