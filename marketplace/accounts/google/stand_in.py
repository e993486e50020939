"""Google as this site plays it for demos and tests (`settings.DEVELOPER_PAGES`): whoever is picked on its page signs in.

An OpenID provider by the book, so that our own side runs as with the real one: code flow with PKCE and nonce, ID tokens signed
with RS256, a key set, a code that is good once. Production has none of these addresses, as of the sandbox gateway.
"""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from jwt.algorithms import RSAAlgorithm

from marketplace.accounts.google import openid
from marketplace.accounts.models import User

PATH = "/sandbox/google"
_KEY = "google-stand-in:key"
_CODE = "google-stand-in:code:"
_MINUTES = 5 * 60
_SHOWN = 6
_ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")


class Somebody(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("Email"), max_length=254)


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    _plays()
    issuer = settings.GOOGLE_ISSUER
    return JsonResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/auth/",
            "token_endpoint": f"{issuer}/token/",
            "jwks_uri": f"{issuer}/keys/",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


@require_safe
def keys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    _plays()
    public = RSAAlgorithm.to_jwk(_key().public_key(), as_dict=True)
    return JsonResponse({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]})


@never_cache
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Who is it? One of the demo's people, or somebody new; and back to the page that asked."""
    _plays()
    given = request.GET if request.method == "GET" else request.POST
    asked = {name: given.get(name, "") for name in _ASKED}
    if asked["client_id"] != settings.GOOGLE_CLIENT_ID or not _is_ours(asked["redirect_uri"]):
        raise Http404
    form = Somebody(request.POST if request.method == "POST" and "cancel" not in request.POST else None)
    back: dict[str, str] = {}
    if "cancel" in request.POST:
        back = {"error": "access_denied", "state": asked["state"]}
    elif form.is_valid():
        code = secrets.token_urlsafe(24)
        cache.set(_CODE + code, {**asked, **form.cleaned_data}, _MINUTES)
        back = {"code": code, "state": asked["state"]}
    if back:
        return HttpResponseRedirect(f"{asked['redirect_uri']}?{urlencode(back)}")
    people = User.objects.filter(is_active=True, is_staff=False, emailaddress__verified=True).order_by("pk")
    page = {"asked": asked, "people": people[:_SHOWN], "form": form}
    return render(
        request, "accounts/google_stand_in.html", page, status=422 if request.method == "POST" else 200
    )


@csrf_exempt  # a server's call, with its secret
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    _plays()
    kept = cache.get(_CODE + request.POST.get("code", ""))
    # Whoever deletes it has it: of two exchanges at once one gets nothing.
    if kept is None or not cache.delete(_CODE + request.POST["code"]):
        return JsonResponse({"error": "invalid_grant"}, status=400)
    digest = hashlib.sha256(request.POST.get("code_verifier", "").encode()).digest()
    is_the_client = (request.POST.get("client_id"), request.POST.get("client_secret")) == (
        settings.GOOGLE_CLIENT_ID,
        settings.GOOGLE_CLIENT_SECRET,
    )
    is_who_began = urlsafe_b64encode(digest).rstrip(b"=").decode() == kept["code_challenge"]
    if not is_the_client or not is_who_began or request.POST.get("redirect_uri") != kept["redirect_uri"]:
        return JsonResponse({"error": "invalid_grant"}, status=400)
    return JsonResponse(
        {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",  # nosec B105
            "expires_in": 3599,
            "id_token": _id_token(kept),
        }
    )


def _plays() -> None:
    """Raises Http404 where somebody else is asked who people are."""
    if not openid.is_on() or not settings.GOOGLE_ISSUER.endswith(PATH):
        raise Http404


def _is_ours(address: str) -> bool:
    """Our own callback on this machine."""
    url = urlsplit(address)
    is_here = url.scheme == "http" and url.hostname in {"127.0.0.1", "localhost"}
    return is_here and url.path == reverse("google_callback")


def _id_token(kept: dict[str, Any]) -> str:
    now = int(time.time())
    number = int.from_bytes(hashlib.sha256(kept["email"].lower().encode()).digest()[:8])
    claims = {
        "iss": settings.GOOGLE_ISSUER,
        "aud": kept["client_id"],
        "azp": kept["client_id"],
        "sub": str(number),
        "email": kept["email"].lower(),
        "email_verified": True,
        "name": kept["name"],
        "nonce": kept["nonce"],
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, _key(), algorithm="RS256", headers={"kid": "one"})


def _key() -> rsa.RSAPrivateKey:
    """One for all processes of a demo, for as long as its cache lives."""
    pem: bytes = cache.get_or_set(_KEY, _made, None)  # type: ignore[assignment]
    key = serialization.load_pem_private_key(pem, password=None)
    return cast("rsa.RSAPrivateKey", key)


def _made() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
