from django.urls import path

from marketplace.escrow import api, views

app_name = "escrow"
urlpatterns = [
    path("listings/<uuid:listing_id>/buy/", views.buy, name="buy"),
    path("sales/forecast/", views.forecast, name="forecast"),
    path("trades/", views.trade_list, name="list"),
    path("trades/<uuid:trade_id>/", views.trade, name="trade"),
    path("trades/<uuid:trade_id>/pay/", views.pay, name="pay"),
    path("trades/<uuid:trade_id>/cancel/", views.cancel, name="cancel"),
    path("trades/<uuid:trade_id>/hand-over/", views.hand_over, name="hand_over"),
    path("trades/<uuid:trade_id>/reveal/", views.reveal, name="reveal"),
    path("trades/<uuid:trade_id>/received/", views.accept, name="accept"),
    path("trades/<uuid:trade_id>/confirm/", views.confirm, name="confirm"),
    path("trades/<uuid:trade_id>/dispute/", views.dispute, name="dispute"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("profile/purchases/", api.Purchases.as_view(), name="profile_purchases"),
    path("profile/sales/", api.Sales.as_view(), name="profile_sales"),
]
