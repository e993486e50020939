from django.urls import path

from marketplace.listings import api, views
from marketplace.listings.consumers import ListingSocket

app_name = "listings"
urlpatterns = [
    path("listings/", views.catalogue, name="catalogue"),
    path("listings/<uuid:listing_id>/card/", views.card, name="card"),
    path("listings/<uuid:listing_id>/favourite/", views.favourite, name="favourite"),
    path("sell/", views.sell, name="sell"),
    path("sell/check/<slug:field>/", views.check, name="check"),
    path("sell/preview/", views.preview, name="preview"),
    path("sell/<uuid:listing_id>/", views.edit, name="edit"),
    path("sell/<uuid:listing_id>/preview/", views.preview, name="preview"),
    path("sell/<uuid:listing_id>/withdraw/", views.withdraw, name="withdraw"),
    path("sell/<uuid:listing_id>/relist/", views.relist, name="relist"),
    path("sell/<uuid:listing_id>/delete/", views.delete, name="delete"),
    path("me/listings/", views.mine, name="mine"),
    path("me/favourites/", views.favourites, name="favourites"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("profile/listings/", api.OwnListings.as_view(), name="profile_listings"),
    path("profile/favorites/", api.Favorites.as_view(), name="profile_favorites"),
]

# Sockets (see project.asgi).
live_urls = [path("ws/listings/<uuid:listing_id>/", ListingSocket.as_asgi())]
