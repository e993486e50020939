"""The ways to pay. Those whose provider is not built yet are inactive; the sandbox shows only where its provider is set."""

from django.db import migrations

METHODS = [
    ("payme", "Payme", "wallet", False),
    ("click", "Click", "wallet", False),
    ("paynet", "Paynet", "wallet", False),
    ("uzcard", "Uzcard", "credit-card", False),
    ("humo", "Humo", "credit-card", False),
    ("sandbox", "Sandbox", "credit-card", True),
]


def add(apps, schema_editor):
    method = apps.get_model("payments", "PaymentMethod")
    for order, (code, name, icon, is_active) in enumerate(METHODS):
        method.objects.get_or_create(
            code=code, defaults={"name": name, "icon": icon, "is_active": is_active, "sort_order": order * 10}
        )


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
