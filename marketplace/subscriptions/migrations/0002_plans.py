"""The three plans, with their fees from the specification. Prices and benefits are edited in the admin from then on."""

from django.db import migrations

# slug, name, a month and a year in minor units, fee in basis points, benefits
PLANS = [
    ("free", "Free", 0, 0, 1000, ["escrow", "secure_box", "review"]),
    (
        "premium", "Premium", 49_000_00, 490_000_00, 800,
        ["lower_fee", "badge", "priority_search", "priority_support"],
    ),
    (
        "pro", "Pro", 149_000_00, 1_490_000_00, 500,
        ["all_premium", "lowest_fee", "fast_payout", "personal_manager", "vip_badge"],
    ),
]  # fmt: skip


def add(apps, schema_editor):
    plan = apps.get_model("subscriptions", "SubscriptionPlan")
    for order, (slug, name, month, year, fee, features) in enumerate(PLANS):
        plan.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "price_monthly": month,
                "price_yearly": year,
                "commission_basis_points": fee,
                "features": features,
                "sort_order": order * 10,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
