"""Who listens to which fact: the whole wiring, in one table. Listeners run after the commit and only queue work."""


def wire() -> None:
    """Called once, when all apps are loaded."""
