from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from marketplace.accounts import devices

        # Pages, the admin and the API all say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
