from django.conf import settings
from django.urls import path

from marketplace.notifications import api, views
from marketplace.notifications.consumers import NotificationsSocket

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notification_list, name="list"),
    path("notifications/panel/", views.panel, name="panel"),
    path("notifications/read-all/", views.read_all, name="read_all"),
    path("notifications/preferences/", views.preferences, name="preferences"),
    path("notifications/preferences/address/", views.try_address_again, name="try_address_again"),
    path("notifications/preferences/<slug:group>/", views.group_preferences, name="group_preferences"),
    path("notifications/telegram/", views.telegram_page, name="telegram"),
    path("notifications/telegram/unlink/", views.telegram_unlink, name="telegram_unlink"),
    path("notifications/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("notifications/<uuid:notification_id>/", views.notification_open, name="open"),
    path("notifications/<uuid:notification_id>/read/", views.notification_read, name="read"),
    path("telegram/webhook/", views.telegram_webhook, name="telegram_webhook"),
]

if settings.DEVELOPER_PAGES:
    urlpatterns += [
        path("dev/mail/", views.developer_mails, name="developer_mails"),
        path("dev/mail/templates/", views.developer_templates, name="developer_templates"),
        path(
            "dev/mail/templates/<slug:name>/<slug:language>/",
            views.developer_templates,
            name="developer_template",
        ),
        path(
            "dev/mail/templates/<slug:name>/<slug:language>/html/",
            views.developer_template_html,
            name="developer_template_html",
        ),
        path("dev/mail/<str:name>/", views.developer_mail, name="developer_mail"),
        path("dev/mail/<str:name>/html/", views.developer_mail_html, name="developer_mail_html"),
    ]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("notifications/", api.Notifications.as_view(), name="notifications"),
    path("notifications/read-all/", api.ReadAll.as_view(), name="notifications_read_all"),
    path("notifications/preferences/", api.Preferences.as_view(), name="notification_preferences"),
    path("notifications/<uuid:notification_id>/read/", api.Read.as_view(), name="notification_read"),
    # The client's own names of the same (PROFILE-07, PROFILE-08).
    path("profile/notifications/", api.Notifications.as_view(), name="profile_notifications"),
    path(
        "profile/notifications/<uuid:notification_id>/read/",
        api.Read.as_view(),
        name="profile_notification_read",
    ),
]

# Sockets (see project.asgi).
live_urls = [path("ws/notifications/", NotificationsSocket.as_asgi())]
