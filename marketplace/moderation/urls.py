from django.urls import path

from marketplace.moderation import organizer_views, report_views, trade_views, views

app_name = "moderation"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("listings/<uuid:listing_id>/approve/", views.approve, name="approve"),
    path("listings/<uuid:listing_id>/changes/", views.ask_for_changes, name="changes"),
    path("listings/<uuid:listing_id>/reject/", views.reject, name="reject"),
    path("messages/", report_views.reports, name="reports"),
    path("messages/<uuid:report_id>/", report_views.decide, name="report"),
    path("organizers/", organizer_views.applications, name="organizers"),
    path("organizers/<uuid:profile_id>/approve/", organizer_views.approve, name="organizer_approve"),
    path("organizers/<uuid:profile_id>/reject/", organizer_views.reject, name="organizer_reject"),
    path("trades/", trade_views.trades, name="trades"),
    path("trades/<uuid:trade_id>/", trade_views.trade, name="trade"),
]
