from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The last app: when it is ready, all others are, and the wiring can be laid."""

    name = "project"

    def ready(self) -> None:
        from project.listeners import wire

        wire()
