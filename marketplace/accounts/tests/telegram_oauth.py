"""What Telegram's sign-in page hands back."""

import base64
import hashlib
import hmac
import json
import time

TOKEN = "4711:AAE-very-secret-token_of_the_bot"


def signed(token=TOKEN, **changes):
    """What Telegram hands back; None takes a field away."""
    told = {"id": 990011, "first_name": "Aziza", "username": "aziza", "auth_date": int(time.time())} | changes
    told = {name: value for name, value in told.items() if value is not None}
    lines = "\n".join(sorted(f"{name}={value}" for name, value in told.items()))
    key = hashlib.sha256(token.encode()).digest()
    return told | {"hash": hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()}


def packed(told):
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
