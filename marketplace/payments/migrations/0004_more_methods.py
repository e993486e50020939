"""The ways to pay whose providers are there now. Each shows only where its provider is set up."""

from django.db import migrations

# code, name, icon, currency, smallest and largest amount in minor units
METHODS = [
    ("payme", "Payme", "wallet", "UZS", 1_000_00, 50_000_000_00),
    ("click", "Click", "wallet", "UZS", 1_000_00, 50_000_000_00),
    ("paynet", "Paynet", "wallet", "UZS", 1_000_00, 20_000_000_00),
    ("uzcard", "Uzcard", "credit-card", "UZS", 1_000_00, 20_000_000_00),
    ("humo", "Humo", "credit-card", "UZS", 1_000_00, 20_000_000_00),
    ("stripe", "Visa, Mastercard", "credit-card", "UZS", 10_000_00, 50_000_000_00),
    ("kaspi", "Kaspi.kz", "wallet", "KZT", 100_00, 2_000_000_00),
    ("freedompay", "FreedomPay", "credit-card", "KZT", 100_00, 2_000_000_00),
    ("cloudpayments", "TipTop Pay", "credit-card", "KZT", 100_00, 2_000_000_00),
    ("mock", "Mock", "credit-card", "UZS", 1_000_00, 50_000_000_00),
]


def add(apps, schema_editor):
    method = apps.get_model("payments", "PaymentMethod")
    for order, (code, name, icon, currency, least, most) in enumerate(METHODS):
        method.objects.update_or_create(
            code=code,
            defaults={
                "name": name,
                "icon": icon,
                "currency": currency,
                "min_amount": least,
                "max_amount": most,
                "is_active": True,
                "sort_order": order * 10,
            },
        )
    method.objects.filter(code="sandbox").update(sort_order=1000)


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_attempts_and_refunds")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
