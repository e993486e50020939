from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from allauth.account.signals import password_reset
        from allauth.mfa import signals
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from marketplace.accounts import (
            devices,
            factors,
            lockout,
            middleware,
            personal,
            second_factor,
            sign_ins,
            traces,
        )
        from marketplace.core import encryption

        # Pages and the API both say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
        user_logged_in.connect(sign_ins.leave_unnoted, dispatch_uid="sign_ins")
        user_logged_out.connect(sign_ins.note_sign_out, dispatch_uid="sign_ins")

        second_factor.register(factors.FACTOR)
        encryption.register("second factors", factors.rotate_keys)
        for signal, note in (
            (signals.authenticator_added, factors.note_added),
            (signals.authenticator_removed, factors.note_removed),
            (signals.authenticator_reset, factors.note_renewed),
            (signals.authenticator_used, factors.note_used),
        ):
            signal.connect(note, dispatch_uid="factors")
        for proof in (user_logged_in, password_reset):
            proof.connect(lockout.forgive, dispatch_uid="lockout")
        user_logged_out.connect(middleware.note_leaving, dispatch_uid="leaving")
        traces.register(personal.SHARE)
