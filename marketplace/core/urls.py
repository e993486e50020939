from django.conf import settings
from django.urls import path

from marketplace.core import gallery, views

app_name = "core"
urlpatterns = [
    path("preferences/", views.preferences, name="preferences"),
    path(".well-known/security.txt", views.security_txt, name="security-txt"),
    path("about/<slug:slug>/", views.page, name="page"),
]

if settings.DEVELOPER_PAGES:
    urlpatterns.append(path("dev/components/", gallery.components, name="components"))
