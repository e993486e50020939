from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from marketplace.accounts.google.provider import Google

urlpatterns = default_urlpatterns(Google)
