from django.urls import path

from marketplace.accounts import api, views

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("edit/", views.edit, name="edit"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("auth/register/", api.Register.as_view(), name="register"),
    path("auth/login/", api.Login.as_view(), name="login"),
    path("auth/refresh/", api.Renew.as_view(), name="refresh"),
    path("auth/token/refresh/", api.Renew.as_view()),
    path("auth/logout/", api.Logout.as_view(), name="logout"),
    path("auth/ws-ticket/", api.SocketTicket.as_view(), name="ws_ticket"),
    path("auth/me/", api.Me.as_view(), name="me"),
]
