"""A row for every kind that is told so far, so that each can be switched off and chosen before it was told once."""

from django.db import migrations

TYPES = [
    ("welcome", "Welcome to WibeStore", "handshake"),
    ("new-sign-in", "New sign-in to your account", "monitor"),
    ("email-bounced", "Your mail does not reach you", "mail"),
    ("telegram-linked", "Telegram is connected", "send"),
    ("telegram-lost", "Telegram is disconnected", "send"),
    ("listing-waiting", "A listing waits for a check", "scan-line"),
    ("listing-approved", "Your listing is published", "badge-check"),
    ("listing-changes-asked", "Your listing needs changes", "pencil"),
    ("listing-rejected", "Your listing was not published", "triangle-alert"),
    ("listing-blocked", "Your listing was taken down", "triangle-alert"),
    ("message-received", "… wrote to you", "message-circle"),
    ("message-reported", "A message was reported", "flag"),
    ("deposit-completed", "Your wallet is topped up", "wallet"),
    ("deposit-failed", "The payment did not go through", "triangle-alert"),
    ("withdrawal-requested", "Your payout is on its way", "wallet"),
    ("withdrawal-completed", "Your payout was sent", "wallet"),
    ("withdrawal-failed", "Your payout could not be sent", "triangle-alert"),
    ("payout-waiting", "A payout waits", "landmark"),
    ("payout-card-added", "A new payout card was added", "credit-card"),
    ("refund-started", "A refund is on its way", "undo-2"),
    ("refund-sent", "The refund was sent", "undo-2"),
    ("refund-failed", "The refund could not be sent", "wallet"),
    ("money-taken-back", "A payment was taken back", "undo-2"),
    ("money-owed", "A payment was taken back, and you owe …", "triangle-alert"),
    ("debt-repaid", "Part of your debt is repaid", "wallet"),
    ("plan-started", "Your … plan has begun", "gem"),
    ("plan-renewed", "Your … plan is renewed", "gem"),
    ("plan-renewal-soon", "Your … plan will be renewed", "gem"),
    ("plan-renewal-short", "Top up to keep your … plan", "wallet"),
    ("plan-ending", "Your … plan ends soon", "gem"),
    ("plan-payment-late", "Your plan could not be renewed", "triangle-alert"),
    ("plan-cancelled", "Your … plan is cancelled", "circle-x"),
    ("plan-ended", "Your … plan is over", "gem"),
    ("plan-not-started", "Your plan could not begin", "wallet"),
    ("books-red", "The books are not in order", "triangle-alert"),
    ("books-green", "The books are in order again", "circle-check"),
    ("trade-started", "Somebody is buying your account", "handshake"),
    ("trade-paid", "Paid: hand over the account", "key-round"),
    ("credentials-revealed", "The buyer opened the login", "eye"),
    ("trade-accepted", "The buyer has the account", "circle-check"),
    ("trade-confirmed", "You are paid", "wallet"),
    ("trade-lost", "The trade was refunded", "triangle-alert"),
    ("purchase-paid", "Your money is held safely", "shield-check"),
    ("purchase-handed-over", "Your account is ready", "key-round"),
    ("purchase-accepted", "You have the account", "circle-check"),
    ("purchase-confirmed", "The trade is finished", "handshake"),
    ("purchase-refunded", "Your money is back", "wallet"),
    ("purchase-part-refunded", "Money of your trade is back", "wallet"),
    ("sale-part-refunded", "The buyer got money back", "triangle-alert"),
    ("trade-cancelled", "The purchase was cancelled", "circle-x"),
    ("trade-disputed", "A dispute is open", "gavel"),
]  # fmt: skip


def add(apps, schema_editor):
    known = apps.get_model("notifications", "NotificationType").objects
    known.bulk_create(
        [known.model(code=code, name=name, icon=icon) for code, name, icon in TYPES], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_preferences_and_telegram")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
