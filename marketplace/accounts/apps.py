from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"

    def ready(self) -> None:
        from allauth.account import signals as account
        from allauth.account.signals import password_reset
        from allauth.mfa import signals
        from allauth.mfa.models import Authenticator
        from axes.signals import user_locked_out
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
        from django.core import checks
        from django.db.models.signals import post_delete, post_save

        from marketplace.accounts import (
            audit,
            devices,
            factors,
            lockout,
            middleware,
            personal,
            recovery,
            second_factor,
            sign_ins,
            traces,
            trail,
        )
        from marketplace.core import encryption

        # Pages and the API both say it this way.
        user_logged_in.connect(devices.note_sign_in, dispatch_uid="devices")
        user_logged_in.connect(sign_ins.leave_unnoted, dispatch_uid="sign_ins")
        user_logged_out.connect(sign_ins.note_sign_out, dispatch_uid="sign_ins")

        recovery.take_the_place_of_allauths()
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

        for signal, told, sender in (
            (user_logged_in, audit.note_sign_in, None),
            (user_logged_out, audit.note_sign_out, None),
            (user_login_failed, audit.note_failure, None),
            (user_locked_out, audit.note_lock, None),
            (account.authentication_step_completed, audit.note_step_up, None),
            (account.email_added, audit.note_email_added, None),
            (account.email_removed, audit.note_email_removed, None),
            (account.email_changed, audit.note_email_changed, None),
            (signals.authenticator_used, audit.note_use, None),
            (post_save, audit.note_factor, Authenticator),
            (post_delete, audit.note_factor_gone, Authenticator),
        ):
            signal.connect(told, sender=sender, dispatch_uid="audit")
        checks.register(trail.check_settings)

        traces.register(personal.SHARE)
