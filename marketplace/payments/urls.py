from django.http import Http404
from django.urls import path


def _later(*_a, **_k):
    raise Http404


app_name = "payments"
urlpatterns = [
    path("wallet/", _later, name="wallet"),
    path("wallet/deposit/", _later, name="deposit"),
    path("wallet/withdraw/", _later, name="withdraw"),
    path("wallet/<uuid:transaction_id>/", _later, name="transaction"),
    path("wallet/<uuid:transaction_id>/result/", _later, name="return"),
]
