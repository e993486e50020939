from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ProjectConfig(AppConfig):
    """The last app: when it is ready, all others are, and the wiring can be laid."""

    name = "project"

    def ready(self) -> None:
        from project.listeners import wire

        wire()


class StaffAdminConfig(admin.AdminConfig):
    """Django's admin, which lets staff in by the site's own sign-in."""

    default = False  # of this module, the one above is
    default_site = "marketplace.accounts.admin_site.StaffSite"
