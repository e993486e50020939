from django.urls import path

from marketplace.payments import api, gateway, gateway_views, views

app_name = "payments"
urlpatterns = [
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/deposit/", views.deposit, name="deposit"),
    path("wallet/back/<slug:key>/", views.back, name="back"),
    path("wallet/withdraw/", views.withdraw, name="withdraw"),
    path("wallet/<uuid:transaction_id>/", views.transaction, name="transaction"),
    path("wallet/<uuid:transaction_id>/result/", views.result, name="return"),
    path("wallet/<uuid:transaction_id>/check/", views.check, name="check"),
    path("api/v1/payments/webhooks/<slug:provider>/", api.Webhook.as_view(), name="webhook"),
]

if gateway.is_served():
    urlpatterns += [
        path("sandbox/", gateway_views.page, name="sandbox-page"),
        path("sandbox/<uuid:payment_id>/<slug:action>/", gateway_views.press, name="sandbox-press"),
        path("sandbox/api/payments/<uuid:order>/", gateway_views.status, name="sandbox-status"),
    ]
