from django.urls import path

from marketplace.messaging import api, consumers, views

app_name = "messaging"
urlpatterns = [
    path("chats/", views.inbox, name="inbox"),
    path("chats/<uuid:conversation_id>/", views.thread, name="thread"),
    path("chats/<uuid:conversation_id>/messages/", views.thread_messages, name="messages"),
    path("chats/<uuid:conversation_id>/read/", views.read, name="read"),
    path("chats/<uuid:conversation_id>/mute/", views.mute, name="mute"),
    path("chats/<uuid:conversation_id>/block/", views.block, name="block"),
    path("chats/<uuid:conversation_id>/delete/", views.clear, name="clear"),
    path("chats/<uuid:conversation_id>/messages/<uuid:message_id>/edit/", views.edit, name="edit"),
    path(
        "chats/<uuid:conversation_id>/messages/<uuid:message_id>/delete/", views.take_back, name="take_back"
    ),
    path("chats/<uuid:conversation_id>/messages/<uuid:message_id>/report/", views.report, name="report"),
    path(
        "chats/<uuid:conversation_id>/messages/<uuid:message_id>/file/", views.attachment, name="attachment"
    ),
]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("chats/", api.Chats.as_view(), name="chats"),
    path("chats/<uuid:conversation_id>/", api.Chat.as_view(), name="chat"),
    path("chats/<uuid:conversation_id>/read/", api.Read.as_view(), name="chat_read"),
    path("chats/<uuid:conversation_id>/messages/", api.Messages.as_view(), name="chat_messages"),
    path(
        "chats/<uuid:conversation_id>/messages/<uuid:message_id>/",
        api.OneMessage.as_view(),
        name="chat_message",
    ),
    path(
        "chats/<uuid:conversation_id>/messages/<uuid:message_id>/file/",
        api.MessageFile.as_view(),
        name="chat_file",
    ),
]

# Websockets (see project.asgi).
live_urls = [path("ws/chat/<uuid:conversation_id>/", consumers.ChatSocket.as_asgi())]
