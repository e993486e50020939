from django.urls import path

from marketplace.core import views

app_name = "core"
urlpatterns = [
    path("preferences/", views.preferences, name="preferences"),
    path("about/<slug:slug>/", views.page, name="page"),
]
