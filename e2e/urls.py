"""The site's own doors, and one that breaks, to see what is shown then."""

from django.urls import path

from project.urls import urlpatterns as doors


def broken(_request):
    raise RuntimeError("broken on purpose")


urlpatterns = [*doors, path("broken/", broken)]
