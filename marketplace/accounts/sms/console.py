"""A laptop's provider: what would be sent stands where the server prints."""

import sys


class Console:
    def send(self, *, number: str, text: str, callback: str) -> str:  # noqa: ARG002
        sys.stdout.write(f"SMS to {number}: {text}\n")
        sys.stdout.flush()
        return "printed"
