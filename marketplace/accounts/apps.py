from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from marketplace.accounts import devices, sign_ins

        # Pages, the admin and the API all say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
        user_logged_in.connect(sign_ins.leave_unnoted, dispatch_uid="sign_ins")
        user_logged_out.connect(sign_ins.note_sign_out, dispatch_uid="sign_ins")
