"""Where secrets come from, and which are missing or samples. Production asks before it starts."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SECRET_LENGTH = 40


class FromFiles(Mapping[str, str]):
    """The environment, in which NAME_FILE may stand for NAME and names the file that holds the value.

    So a vault, Docker, Kubernetes or systemd hands a secret over without its standing in the environment, which every program
    that is started inherits. One newline at the end is not part of the value. Raises ImproperlyConfigured when both are given, or
    the file cannot be read.

    django-environ takes a value that begins with "$" for the name of another variable; with its `escape_proxy` what comes from a
    file is the value, whatever it begins with.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def __getitem__(self, name: str) -> str:
        file = self.environment.get(f"{name}_FILE", "")
        if not file:
            return self.environment[name].replace(r"\$", r"\\$")
        if self.environment.get(name):
            raise ImproperlyConfigured(f"Both {name} and {name}_FILE are given: take one away.")
        try:
            value = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ImproperlyConfigured(f"{name}_FILE: {file} cannot be read ({why}).") from None
        return value.removesuffix("\n").removesuffix("\r").replace("$", r"\$")

    def __iter__(self) -> Iterator[str]:
        named = {name.removesuffix("_FILE") for name in self.environment if name.endswith("_FILE")}
        return iter({*self.environment, *named})

    def __len__(self) -> int:
        return sum(1 for _name in self)


def unfit_secrets(values: Mapping[str, str], *, example: Path, samples: Iterable[str]) -> list[str]:
    """One line per value that production must not start with: missing, a sample of ours, or too weak.

    `values` maps names to what the environment holds; the literal "unset" stands for an optional one that is absent.
    A value that is given in the file of examples counts as a sample.
    """
    known = set(samples) | _example_values(example)
    lines = []
    for name, value in values.items():
        parts = [part.strip() for part in value.split(",")] if name == "FERNET_KEY" else [value]
        if value == "unset":
            continue
        if not value:
            lines.append(f"{name} is not set.")
        elif any(part in known for part in parts):
            lines.append(f"{name} is a sample value from the repository: make one of your own.")
        elif name == "SECRET_KEY" and len(value) < SECRET_LENGTH:
            lines.append(f"SECRET_KEY is shorter than {SECRET_LENGTH} characters.")
        elif name == "FERNET_KEY" and not all(_is_fernet_key(part) for part in parts):
            lines.append(
                "FERNET_KEY must be url-safe base64 of 32 bytes (several, newest first, parted by commas)."
            )
        elif name == "ALLOWED_HOSTS" and "*" in value:
            lines.append(
                "ALLOWED_HOSTS must name the hosts; '*' lets anybody choose the host of the links we send."
            )
    return lines


def _example_values(example: Path) -> set[str]:
    if not example.exists():
        return set()
    pairs = (
        line.split("=", 1)
        for line in example.read_text().splitlines()
        if "=" in line and line[:1] not in "# "
    )
    # Plain settings (a port, a flag) may well equal their example; what looks like a secret may not.
    return {value.strip() for _name, value in pairs if len(value.strip()) >= 12}


def _is_fernet_key(value: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(value)) == 32
    except (binascii.Error, ValueError):
        return False
