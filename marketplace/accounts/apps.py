from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from allauth.mfa import signals
        from django.contrib.auth.signals import user_logged_in

        from marketplace.accounts import devices, factors, second_factor
        from marketplace.core import encryption

        # Pages and the API both say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")

        second_factor.register(factors.FACTOR)
        encryption.register("second factors", factors.rotate_keys)
        for signal, note in (
            (signals.authenticator_added, factors.note_added),
            (signals.authenticator_removed, factors.note_removed),
            (signals.authenticator_reset, factors.note_renewed),
            (signals.authenticator_used, factors.note_used),
        ):
            signal.connect(note, dispatch_uid="factors")
