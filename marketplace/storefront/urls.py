from django.urls import path

from marketplace.storefront import views

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("listings/<uuid:listing_id>/", views.listing, name="listing"),
    path("u/<slug:handle>/", views.seller, name="seller"),
]
