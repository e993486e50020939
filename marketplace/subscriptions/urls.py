from django.urls import path

from marketplace.subscriptions import api, views

app_name = "subscriptions"
urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/<slug:slug>/", views.checkout, name="checkout"),
    path("me/plan/", views.mine, name="mine"),
    path("me/plan/renewal/", views.renewal, name="renewal"),
    path("me/plan/cancel/", views.cancel, name="cancel"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("subscriptions/plans/", api.Plans.as_view(), name="plans"),
    path("subscriptions/purchase/", api.Purchase.as_view(), name="plan-purchase"),
    path("subscriptions/my/", api.Mine.as_view(), name="plan-mine"),
    path("subscriptions/cancel/", api.Cancel.as_view(), name="plan-cancel"),
]
