"""Words of Django's own that its Uzbek catalogue lacks: named here, so that they are collected and translated with ours."""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

PASSWORD_RULES = (
    _("The password is too similar to the %(verbose_name)s."),
    _("This password is too common."),
    _("Your password can’t be a commonly used password."),
    _("Your password can’t be too similar to your other personal information."),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    ngettext_lazy(
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
    ),
)
