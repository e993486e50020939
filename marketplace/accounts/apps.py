from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from marketplace.accounts import devices, middleware

        # Pages, the admin and the API all say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
        user_logged_out.connect(middleware.note_leaving, dispatch_uid="leaving")
