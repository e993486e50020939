"""What stands below /accounts/: allauth's pages, and those of ours that take the place of one of them."""

from django.urls import include, path
from django.views.generic import RedirectView

from marketplace.accounts import phone_views, way_views

to_ways = RedirectView.as_view(pattern_name="accounts:ways")

urlpatterns = [
    path("password/set/", way_views.set_password),
    path("login/phone/", phone_views.sign_in, name="phone_sign_in"),
    path("login/phone/code/", phone_views.sign_in_code, name="phone_sign_in_code"),
    path("sms/<str:token>/", phone_views.delivered, name="sms_callback"),
    # Connected accounts stand with the other ways in.
    path("3rdparty/", to_ways),
    path("", include("allauth.urls")),
]
