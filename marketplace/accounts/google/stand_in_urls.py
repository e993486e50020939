from django.urls import path

from marketplace.accounts.google import stand_in

app_name = "google-stand-in"
urlpatterns = [
    path(".well-known/openid-configuration", stand_in.configuration, name="configuration"),
    path("auth/", stand_in.choose, name="choose"),
    path("keys/", stand_in.keys, name="keys"),
    path("token/", stand_in.token, name="token"),
]
