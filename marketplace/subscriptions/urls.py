from django.urls import include, path

from marketplace.subscriptions import api, views

app_name = "subscriptions"
urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/<slug:slug>/", views.checkout, name="checkout"),
    path("me/plan/", views.mine, name="mine"),
    path("me/plan/renewal/", views.renewal, name="renewal"),
    path("me/plan/cancel/", views.cancel, name="cancel"),
    path("api/v1/", include(api.api_urlpatterns)),
]
