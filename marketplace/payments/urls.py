from django.urls import path

from marketplace.payments import (
    api,
    card_views,
    desk_views,
    gateway,
    gateway_views,
    mock_api,
    paper_views,
    reconciliation_views,
    refund_views,
    views,
)

app_name = "payments"
urlpatterns = [
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/deposit/", views.deposit, name="deposit"),
    path("wallet/back/<slug:key>/", views.back, name="back"),
    path("wallet/withdraw/", views.withdraw, name="withdraw"),
    path("wallet/cards/<uuid:card_id>/remove/", views.remove_card, name="remove-card"),
    path("wallet/export.csv", paper_views.export, name="export"),
    path("wallet/statements/", paper_views.statements, name="statements"),
    path("wallet/statements/<str:month>/", paper_views.statement, name="statement"),
    path("wallet/statements/<str:month>/statement.pdf", paper_views.statement_pdf, name="statement-pdf"),
    path("wallet/<uuid:transaction_id>/receipt.pdf", paper_views.receipt_pdf, name="receipt"),
    path("desk/payouts/", desk_views.queue, name="desk"),
    path("desk/payouts/<uuid:transaction_id>/", desk_views.payout, name="desk-payout"),
    path("desk/payouts/<uuid:transaction_id>/approve/", desk_views.approve, name="desk-approve"),
    path("desk/payouts/<uuid:transaction_id>/number/", desk_views.show_number, name="desk-number"),
    path("desk/payouts/<uuid:transaction_id>/send/", desk_views.send, name="desk-send"),
    path("desk/payouts/<uuid:transaction_id>/fail/", desk_views.fail, name="desk-fail"),
    path("desk/payments/", refund_views.payments, name="desk-payments"),
    path("desk/payments/<uuid:transaction_id>/", refund_views.payment, name="desk-payment"),
    path("desk/refunds/<uuid:refund_id>/made/", refund_views.made, name="desk-refund-made"),
    path("desk/refunds/<uuid:refund_id>/not-made/", refund_views.not_made, name="desk-refund-not-made"),
    path("desk/reconciliation/", reconciliation_views.desk, name="reconciliation"),
    path("desk/reconciliation/<uuid:statement_id>/", reconciliation_views.result, name="reconciled"),
    path("wallet/<uuid:transaction_id>/", views.transaction, name="transaction"),
    path("wallet/<uuid:transaction_id>/result/", views.result, name="return"),
    path("wallet/<uuid:transaction_id>/check/", views.check, name="check"),
    path("wallet/<uuid:transaction_id>/card/", card_views.card, name="card"),
    path("wallet/<uuid:transaction_id>/code/", card_views.code, name="code"),
    path("api/v1/payments/webhooks/<slug:provider>/", api.webhook, name="webhook"),
    path("api/v1/payments/webhooks/<slug:provider>/<slug:action>/", api.webhook, name="webhook-action"),
]

if gateway.is_served():
    urlpatterns += [
        path("api/v1/payments/mock/charge/", mock_api.MockCharge.as_view(), name="mock-charge"),
        path("sandbox/", gateway_views.page, name="sandbox-page"),
        path("sandbox/<uuid:payment_id>/<slug:action>/", gateway_views.press, name="sandbox-press"),
        path("sandbox/<slug:code>/pay/", gateway_views.company, name="gateway"),
        path("sandbox/<slug:code>/pay/<path:rest>", gateway_views.company, name="gateway-rest"),
        path("sandbox/<slug:code>/api/<path:rest>", gateway_views.company_api, name="gateway-api"),
        path("sandbox/payments/<uuid:payment_id>/", gateway_views.company_payment, name="gateway-payment"),
        path(
            "sandbox/payments/<uuid:payment_id>/<slug:action>/",
            gateway_views.company_press,
            name="gateway-press",
        ),
        path("sandbox/api/payments/<uuid:order>/", gateway_views.status, name="sandbox-status"),
    ]

# Below /api/v1/ (see marketplace.api.urls).
api_urls = [
    path("payments/deposit/", api.Deposit.as_view(), name="deposit"),
    path("payments/withdraw/", api.Withdraw.as_view(), name="withdraw"),
    path("payments/transactions/", api.Transactions.as_view(), name="transactions"),
    path("payments/transactions/<uuid:transaction_id>/", api.OneTransaction.as_view(), name="transaction"),
]
