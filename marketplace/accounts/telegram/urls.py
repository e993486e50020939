from django.urls import path

from marketplace.accounts.telegram import views

urlpatterns = [
    path("telegram/login/", views.begin, name="telegram_login"),
    path("telegram/login/callback/", views.callback, name="telegram_callback"),
]
