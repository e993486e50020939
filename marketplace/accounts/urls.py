from django.urls import path

from marketplace.accounts import (
    api,
    organizer_api,
    phone_views,
    privacy_views,
    session_views,
    views,
    way_views,
)

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("edit/", views.edit, name="edit"),
    path("confirm/", way_views.confirm, name="confirm"),
    path("ways-in/", way_views.ways, name="ways"),
    path("ways-in/<int:account_id>/disconnect/", way_views.disconnect, name="disconnect"),
    path("phone/", phone_views.connect, name="phone"),
    path("phone/code/", phone_views.connect_code, name="phone_code"),
    path("phone/disconnect/", phone_views.disconnect, name="phone_disconnect"),
    path("not-me/<str:token>/", session_views.not_me, name="not_me"),
    path("security/", session_views.security, name="security"),
    path("privacy/", privacy_views.privacy, name="privacy"),
    path("privacy/export/", privacy_views.export_ask, name="export_ask"),
    path("privacy/export/<uuid:export_id>/", privacy_views.export_fetch, name="export_fetch"),
    path("privacy/delete/", privacy_views.delete, name="delete"),
    path("privacy/keep/", privacy_views.keep, name="keep"),
    path("sessions/", session_views.sessions, name="sessions"),
    path("sessions/end-others/", session_views.sessions_end_others, name="sessions_end_others"),
    path("sessions/<uuid:sign_in_id>/end/", session_views.session_end, name="session_end"),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("auth/register/", api.Register.as_view(), name="register"),
    path("auth/login/", api.Login.as_view(), name="login"),
    path("auth/login/code/", api.LoginCode.as_view(), name="login_code"),
    path("auth/google/", api.GoogleLogin.as_view(), name="google"),
    path("auth/otp/request/", api.CodeRequest.as_view(), name="otp_request"),
    path("auth/otp/verify/", api.CodeVerify.as_view(), name="otp_verify"),
    path("auth/refresh/", api.Renew.as_view(), name="refresh"),
    path("auth/token/refresh/", api.Renew.as_view()),
    path("auth/logout/", api.Logout.as_view(), name="logout"),
    path("auth/password/reset/", api.PasswordReset.as_view(), name="password_reset"),
    path("auth/password/reset/confirm/", api.PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("auth/email/verify/", api.EmailVerify.as_view(), name="email_verify"),
    path("auth/email/resend/", api.EmailResend.as_view(), name="email_resend"),
    path("auth/ws-ticket/", api.SocketTicket.as_view(), name="ws_ticket"),
    path("auth/me/", api.Me.as_view(), name="me"),
    path("auth/organizer/", organizer_api.Organizer.as_view(), name="organizer"),
]
