"""A stand-in for Google: an OpenID provider as a real HTTP server on loopback, strict about what a client must send."""

import base64
import gzip
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "4711-shop.apps.googleusercontent.com", "GOCSPX-of-the-stand-in"
APP_CLIENT_ID = "4711-android.apps.googleusercontent.com"


@cache
def key(name="one"):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def person(**changes):
    """What Google knows of somebody."""
    return {
        "sub": "110169484474386276334",
        "email": "aziza@gmail.com",
        "email_verified": True,
        "name": "Aziza Karimova",
        "picture": "https://lh3.googleusercontent.com/a/x",
    } | changes


@dataclass
class Google:
    """What the server knows. `mode`: "", "denied", "failing" (an error for the browser), "down" (503 for us), "garbage"."""

    url: str = ""
    mode: str = ""
    who: dict = field(default_factory=person)
    changes: dict = field(default_factory=dict)  # of the next tokens' claims; None takes one away
    is_asking: bool = False  # shows a page to press on, as to a person in a browser
    telegram: Callable[[], str] = str  # what its page hands back
    signed_with: str = "one"
    algorithm: str = "RS256"
    codes: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)  # paths
    tokens: list = field(default_factory=list)

    def id_token(self, *, audience=CLIENT_ID, nonce=None, **changes):
        now = int(time.time())
        claims = self.who | {"iss": self.url, "aud": audience, "azp": audience, "iat": now, "exp": now + 3600}
        if nonce is not None:
            claims["nonce"] = nonce
        claims |= self.changes | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        own = key(self.signed_with)
        signing = {"RS256": own, "RS512": own, "none": None, "HS256": CLIENT_SECRET}[self.algorithm]
        token = jwt.encode(claims, signing, algorithm=self.algorithm, headers={"kid": "one"})
        self.tokens.append(token)
        return token

    def key_set(self):
        public = RSAAlgorithm.to_jwk(key("one").public_key(), as_dict=True)
        return {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}, {"kid": "ec", "kty": "EC"}]}

    def about(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/o/oauth2/v2/auth",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/v1/userinfo",
            "jwks_uri": f"{self.url}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query):
        """Where the browser is sent back to, as somebody who has pressed "Continue"."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert {"openid", "email", "profile"} == set(query["scope"].split())
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        assert query["state"]
        assert query["nonce"]
        back = query["redirect_uri"]
        assert urlsplit(back).path == "/accounts/google/login/callback/"
        if self.mode == "denied":
            return f"{back}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        if self.mode == "failing":
            return f"{back}?{urlencode({'error': 'server_error', 'state': query['state']})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{back}?{urlencode({'code': code, 'state': query['state'], 'scope': query['scope']})}"

    def token(self, given):
        """Status and body of an exchange. A code is good once."""
        query = self.codes.pop(given.get("code"), None)
        if query is None or given.get("grant_type") != "authorization_code":
            return 400, {"error": "invalid_grant"}
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != query["code_challenge"] or given.get("redirect_uri") != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "ya29.secret-access-token",
            "refresh_token": "1//secret-refresh-token",
            "expires_in": 3599,
            "token_type": "Bearer",
            "id_token": self.id_token(nonce=query["nonce"]),
        }


def handler(google):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            google.asked.append(url.path)
            if url.path == "/o/oauth2/v2/auth":
                back = google.authorize(query)
                return self.ask(back) if google.is_asking else self.answer(302, {}, Location=back)
            if url.path == "/auth":  # Telegram's page, for browsers
                return self.ask(f"{query['return_to']}#tgAuthResult={google.telegram()}")
            if url.path == "/favicon.ico":
                return self.answer(200, "")
            if google.mode == "down":
                return self.answer(503, {})
            if google.mode == "garbage":
                return self.answer(200, "<html>")
            pages = {"/.well-known/openid-configuration": google.about, "/oauth2/v3/certs": google.key_set}
            return self.answer(200, pages[url.path]()) if url.path in pages else self.answer(404, {})

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            given = {name: values[0] for name, values in parse_qs(body).items()}
            google.asked.append(self.path)
            if google.mode == "down":
                return self.answer(503, {})
            if google.mode == "garbage":
                return self.answer(200, "<html>")
            return self.answer(*google.token(given)) if self.path == "/token" else self.answer(404, {})

        def answer(self, status, body, **headers):
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            if "gzip" in self.headers.get("Accept-Encoding", ""):  # as the real one does
                data = gzip.compress(data)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def ask(self, back):
            page = f'<title>Google</title><h1>Choose an account</h1><a href="{escape(back)}">{google.who["email"]}</a>'
            data = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args):
            pass

    return Handler


@contextmanager
def running():
    google = Google()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(google))
    google.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def offered(settings, google):
    """Point the product at the stand-in."""
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.GOOGLE_APP_CLIENT_IDS = [APP_CLIENT_ID]
    settings.GOOGLE_ISSUER = google.url
    settings.SECURE_CSP = settings.SECURE_CSP | {
        "form-action": [*settings.SECURE_CSP["form-action"], google.url]
    }
