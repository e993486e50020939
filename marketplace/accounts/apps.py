from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from allauth.account.signals import password_reset
        from django.contrib.auth.signals import user_logged_in

        from marketplace.accounts import devices, lockout

        # Pages, the admin and the API all say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
        for proof in (user_logged_in, password_reset):
            proof.connect(lockout.forgive, dispatch_uid="lockout")
