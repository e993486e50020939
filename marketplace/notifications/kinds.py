"""Every kind of notification: its words, its icon, whether it is worth an e-mail.

The words are templates; `%(name)s` stands for what the caller gives in `context`.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Kind:
    title: str | Promise
    message: str | Promise
    icon: str = "bell"
    action: str | Promise = _("Open")
    by_email: bool = True
    by_telegram: bool = True
    tone: str = "info"

    @property
    def name(self) -> str:
        """The title before anybody knows what it is about: "… wrote to you"."""
        return str(self.title) % defaultdict(lambda: "…")


KINDS: dict[str, Kind] = {
    # --- Account ---
    "welcome": Kind(
        _("Welcome to WibeStore"),
        _("Your address is confirmed. Buy with your money held safely until the account is yours, or sell what you no longer play."),
        icon="handshake", action=_("Look around"),
        by_email=False, by_telegram=False,  # a mail of its own greets
    ),
    "new_sign_in": Kind(
        _("New sign-in to your account"), _("%(device)s, %(time)s, %(place)s. Was it not you? Change your password now."),
        icon="monitor", tone="warn", action=_("Change the password"),
    ),
    "account_factor_added": Kind(
        _("A second factor was set up"), _("%(factor)s opens your account beside the password now. Was it not you? Take it away and change your password."),
        icon="fingerprint", tone="warn", action=_("See your second factor"),
    ),
    "account_factor_removed": Kind(
        _("A second factor was taken away"), _("%(factor)s opens your account no longer. Was it not you? Change your password now."),
        icon="fingerprint", tone="warn", action=_("See your second factor"),
    ),
    "account_codes_renewed": Kind(
        _("New recovery codes were made"), _("The old ones work no longer. Was it not you? Change your password and make new codes."),
        icon="key-round", tone="warn", action=_("See your second factor"),
    ),
    "account_code_used": Kind(
        _("A recovery code was used"), _("Codes left: %(count)s. Was it not you? Change your password and make new codes."),
        icon="key-round", tone="warn", action=_("See your second factor"),
    ),
    "account_export_ready": Kind(
        _("The copy of your data is ready"), _("It can be fetched until %(deadline)s; then it is deleted. Was it not you? Change your password now."),
        icon="download", tone="success", action=_("Fetch it"),
    ),
    "account_deletion_asked": Kind(
        _("Your account will be deleted"), _("On %(deadline)s everything of yours is erased. Until then you can sign in and keep it. Was it not you? Keep it, and change your password."),
        icon="trash-2", tone="danger", action=_("Keep my account"),
    ),
    "account_deletion_taken_back": Kind(
        _("Your account stays"), _("It will not be deleted. You can buy and sell again; offers that were withdrawn wait for you in your list."),
        icon="user-check", tone="success", action=_("My listings"),
    ),
    "account_deletion_put_off": Kind(
        _("Your account could not be deleted yet"), _("Something is still open: money, a trade or a debt. We try again on %(deadline)s."),
        icon="triangle-alert", tone="warn", action=_("See what is open"),
    ),
    "organizer_waiting": Kind(
        _("Somebody wants to hold events"), _("%(person)s applies as “%(title)s”."), icon="calendar-days", by_email=False, action=_("Look at it")
    ),
    "organizer_approved": Kind(
        _("You may hold events now"), _("A moderator has read your application and said yes."),
        icon="calendar-days", tone="success", action=_("See it"),
    ),
    "organizer_rejected": Kind(
        _("Your application as an organiser was rejected"), _("Reason: %(reason)s. You may change it and apply again."),
        icon="calendar-days", tone="warn", action=_("Apply again"),
    ),
    "account_way_added": Kind(
        _("A new way into your account"), _("%(way)s opens your account from now on. Was it not you? Take it away and change your password."),
        icon="log-in", tone="warn", action=_("See your ways in"),
    ),
    "account_way_removed": Kind(
        _("A way into your account was taken away"), _("%(way)s opens your account no longer. Was it not you? Change your password now."),
        icon="log-in", tone="warn", action=_("See your ways in"),
    ),
    "email_bounced": Kind(
        _("Your mail does not reach you"), _("The mail server of %(address)s refuses our mails. Check the address, or give another one."),
        icon="mail", tone="danger", by_email=False, action=_("Check the address"),
    ),
    "telegram_linked": Kind(
        _("Telegram is connected"), _("Notifications go to the chat of %(name)s. Was it not you? Disconnect it and change your password."),
        icon="send", tone="success", by_telegram=False, action=_("See the settings"),
    ),
    "telegram_lost": Kind(
        _("Telegram is disconnected"), _("The chat with our bot was stopped or moved to another account. Connect it again if you want to be told there."),
        icon="send", tone="warn", by_email=False, by_telegram=False, action=_("See the settings"),
    ),
    # --- Listings ---
    "listing_waiting": Kind(
        _("A listing waits for a check"), _("“%(title)s” by %(seller)s."), icon="scan-line", by_email=False, action=_("Check it")
    ),
    "listing_approved": Kind(
        _("Your listing is published"), _("“%(title)s” passed the check. Buyers can find it now."),
        icon="badge-check", tone="success", action=_("See the listing"),
    ),
    "listing_changes_asked": Kind(
        _("Your listing needs changes"), _("“%(title)s” can be published once you change this: %(reason)s"),
        icon="pencil", tone="warn", action=_("Change the listing"),
    ),
    "listing_rejected": Kind(
        _("Your listing was not published"), _("“%(title)s” did not pass the check and cannot be sent again. Reason: %(reason)s"),
        icon="triangle-alert", tone="danger", action=_("My listings"),
    ),
    "listing_blocked": Kind(
        _("Your listing was taken down"), _("“%(title)s” is no longer shown. Reason: %(reason)s."),
        icon="triangle-alert", tone="danger", action=_("My listings"),
    ),
    # --- Conversations ---
    "message_received": Kind(
        _("%(person)s wrote to you"), _("A message waits for you. Read it and answer on WibeStore."), icon="message-circle", action=_("Read it")
    ),
    "message_reported": Kind(
        _("A message was reported"), _("%(person)s: %(reason)s."), icon="flag", by_email=False, action=_("Look at it")
    ),
    # --- Money ---
    "deposit_completed": Kind(
        _("Your wallet is topped up"), _("%(amount)s arrived and can be spent."), icon="wallet", tone="success", action=_("Open the wallet"),
        by_email=False,  # the receipt is the mail
    ),
    "deposit_failed": Kind(
        _("The payment did not go through"), _("%(amount)s was not charged. Try again, or choose another method."),
        icon="triangle-alert", tone="danger", action=_("Open the wallet"),
    ),
    "withdrawal_requested": Kind(
        _("Your payout is on its way"), _("%(amount)s left your wallet and goes to %(destination)s."), icon="wallet", action=_("See the payout")
    ),
    "withdrawal_completed": Kind(
        _("Your payout was sent"), _("%(amount)s was sent to %(destination)s."), icon="wallet", tone="success", action=_("See the payout"),
        by_email=False,  # the receipt is the mail
    ),
    "withdrawal_failed": Kind(
        _("Your payout could not be sent"), _("%(amount)s is back in your wallet. Reason: %(reason)s."),
        icon="triangle-alert", tone="danger", action=_("Open the wallet"),
    ),
    "payout_waiting": Kind(
        _("A payout waits"), _("%(amount)s to %(person)s, promised by %(time)s."), icon="landmark", by_email=False, action=_("Open the desk")
    ),
    "payout_card_added": Kind(
        _("A new payout card was added"), _("%(card)s can be used from %(time)s. Was it not you? Remove it and change your password now."),
        icon="credit-card", tone="warn", action=_("See the cards"),
    ),
    "refund_started": Kind(
        _("A refund is on its way"), _("%(amount)s left your wallet and goes back to %(method)s."), icon="undo-2", action=_("See the payment")
    ),
    "refund_sent": Kind(
        _("The refund was sent"), _("%(amount)s went back to %(method)s. Your bank may take a few days to show it."),
        icon="undo-2", tone="success", action=_("See the payment"),
    ),
    "refund_failed": Kind(
        _("The refund could not be sent"), _("%(method)s did not take %(amount)s back: it is in your wallet."),
        icon="wallet", tone="warn", action=_("Open the wallet"),
    ),
    "money_taken_back": Kind(
        _("A payment was taken back"), _("%(method)s gave %(amount)s back to the payer, so it left your wallet."),
        icon="undo-2", tone="warn", action=_("See the payment"),
    ),
    "money_owed": Kind(
        _("A payment was taken back, and you owe %(debt)s"),
        _("%(method)s gave %(amount)s back to the payer after it was spent. What comes into your wallet repays the debt first."),
        icon="triangle-alert", tone="danger", action=_("See the payment"),
    ),
    "debt_repaid": Kind(
        _("Part of your debt is repaid"), _("%(amount)s of what came into your wallet repaid what you owed."), icon="wallet", action=_("Open the wallet")
    ),
    # --- Plans ---
    "plan_started": Kind(
        _("Your %(plan)s plan has begun"), _("%(amount)s was taken. The plan runs until %(deadline)s."),
        icon="gem", tone="success", action=_("See your plan"),
    ),
    "plan_renewed": Kind(
        _("Your %(plan)s plan is renewed"), _("%(amount)s was taken from your wallet. The plan runs until %(deadline)s."),
        icon="gem", tone="success", action=_("See your plan"),
    ),
    "plan_renewal_soon": Kind(
        _("Your %(plan)s plan will be renewed"), _("On %(deadline)s %(amount)s will be taken from your wallet. There is enough in it; you need not do anything."),
        icon="gem", action=_("See your plan"),
    ),
    "plan_renewal_short": Kind(
        _("Top up to keep your %(plan)s plan"), _("On %(deadline)s %(amount)s will be taken from your wallet. It lacks %(missing)s."),
        icon="wallet", tone="warn", action=_("See your plan"),
    ),
    "plan_ending": Kind(
        _("Your %(plan)s plan ends soon"), _("It runs until %(deadline)s and will not be renewed. Afterwards the fee of the Free plan holds for your sales."),
        icon="gem", tone="warn", action=_("See your plan"),
    ),
    "plan_payment_late": Kind(
        _("Your plan could not be renewed"), _("Your wallet has less than %(amount)s for the %(plan)s plan. We try again each day until %(deadline)s; top up to keep it."),
        icon="triangle-alert", tone="warn", action=_("See your plan"),
    ),
    "plan_cancelled": Kind(
        _("Your %(plan)s plan is cancelled"), _("It runs until %(deadline)s, and nothing more will be taken."),
        icon="circle-x", by_email=False, action=_("See your plan"),
    ),
    "plan_ended": Kind(
        _("Your %(plan)s plan is over"), _("You are on the Free plan now. Your offers stay where they are; new sales cost the fee of that plan."),
        icon="gem", tone="warn", action=_("See your plan"),
    ),
    "plan_not_started": Kind(
        _("Your plan could not begin"), _("%(amount)s arrived, but the %(plan)s plan could not be bought with it any more. The money is in your wallet."),
        icon="wallet", tone="warn", action=_("See your plan"),
    ),
    # --- The books: to staff ---
    "books_red": Kind(
        _("The books are not in order"), _("Audit %(number)s found what must not be. These do not hold: %(rules)s"),
        icon="triangle-alert", tone="danger", action=_("See the audit"),
    ),
    "books_green": Kind(
        _("The books are in order again"), _("Audit %(number)s at %(time)s: every proof holds."),
        icon="circle-check", tone="success", action=_("See the audit"),
    ),
    # --- Trades: to the seller ---
    "trade_started": Kind(
        _("Somebody is buying your account"), _("“%(title)s” is reserved for %(buyer)s until the payment arrives, at most until %(deadline)s."),
        icon="handshake", by_email=False, action=_("Open the trade"),
    ),
    "trade_paid": Kind(
        _("Paid: hand over the account"), _("%(amount)s for “%(title)s” is held in escrow. Hand over the login by %(deadline)s, or the buyer is refunded."),
        icon="key-round", tone="success", action=_("Hand over"),
    ),
    "credentials_revealed": Kind(
        _("The buyer opened the login"), _("The login of “%(title)s” was shown to the buyer at %(time)s."), icon="eye", by_email=False, action=_("Open the trade")
    ),
    "trade_accepted": Kind(
        _("The buyer has the account"), _("%(amount)s for “%(title)s” is yours on %(deadline)s, unless the buyer opens a dispute."),
        icon="circle-check", action=_("Open the trade"),
    ),
    "trade_confirmed": Kind(
        _("You are paid"), _("%(amount)s for “%(title)s” is in your wallet; the fee was %(fee)s."),
        icon="wallet", tone="success", action=_("Open the wallet"),
    ),
    "trade_lost": Kind(
        _("The trade was refunded"), _("You did not hand over “%(title)s” in time, so the buyer got the money back. The listing is taken down; put it up again when you are ready."),
        icon="triangle-alert", tone="danger", action=_("Open the trade"),
    ),
    # --- Trades: to the buyer ---
    "purchase_paid": Kind(
        _("Your money is held safely"), _("%(amount)s for “%(title)s” is in escrow. The seller has until %(deadline)s to hand over the login."),
        icon="shield-check", tone="success", action=_("Open the trade"),
    ),
    "purchase_handed_over": Kind(
        _("Your account is ready"), _("The seller handed over “%(title)s”. Open the login, change the password, and say by %(deadline)s that you have it."),
        icon="key-round", tone="success", action=_("Open the login"),
    ),
    "purchase_accepted": Kind(
        _("You have the account"), _("The seller of “%(title)s” is paid on %(deadline)s. Something wrong? Open a dispute before then."),
        icon="circle-check", action=_("Open the trade"),
    ),
    "purchase_confirmed": Kind(
        _("The trade is finished"), _("The seller of “%(title)s” is paid. Thank you for trading here."), icon="handshake", action=_("Open the trade")
    ),
    "purchase_refunded": Kind(
        _("Your money is back"), _("%(amount)s for “%(title)s” is in your wallet again. Reason: %(reason)s."),
        icon="wallet", tone="success", action=_("Open the wallet"),
    ),
    "purchase_part_refunded": Kind(
        _("Money of your trade is back"), _("%(part)s of %(amount)s for “%(title)s” is in your wallet again. Reason: %(reason)s."),
        icon="wallet", tone="success", action=_("Open the trade"),
    ),
    "sale_part_refunded": Kind(
        _("The buyer got money back"), _("%(part)s of %(amount)s for “%(title)s” went back to the buyer. Reason: %(reason)s."),
        icon="triangle-alert", tone="warn", action=_("Open the trade"),
    ),
    # --- Trades: to both ---
    "trade_cancelled": Kind(
        _("The purchase was cancelled"), _("“%(title)s” was not paid for in time, or the buyer changed their mind. Nothing was charged for it."),
        icon="circle-x", action=_("Open the trade"),
    ),
    "trade_disputed": Kind(
        _("A dispute is open"), _("The money for “%(title)s” stays frozen until a moderator decides. Reason given: %(reason)s."),
        icon="gavel", tone="danger", action=_("Open the trade"),
    ),
}  # fmt: skip
