from django.urls import path

from marketplace.ledger import api, views

app_name = "ledger"
urlpatterns = [
    path("status/", views.status, name="status"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("status/books/", api.Books.as_view(), name="books"),
]
