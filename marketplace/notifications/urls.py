from django.conf import settings
from django.urls import path

from marketplace.notifications import views
from marketplace.notifications.consumers import NotificationsSocket

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notification_list, name="list"),
    path("notifications/panel/", views.panel, name="panel"),
    path("notifications/read-all/", views.read_all, name="read_all"),
    path("notifications/<uuid:notification_id>/", views.notification_open, name="open"),
]

if settings.DEVELOPER_PAGES:
    urlpatterns += [
        path("dev/mail/", views.developer_mails, name="developer_mails"),
        path("dev/mail/<str:name>/", views.developer_mail, name="developer_mail"),
    ]

# Sockets (see project.asgi).
live_urls = [path("ws/notifications/", NotificationsSocket.as_asgi())]
