"""Signing in by a code to one's phone, and confirming that the phone is one's own."""

from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts import confirmation, guesses, phones, sms
from marketplace.accounts.errors import LockedOut, SmsUnavailable, TooManyCodes, WrongPhoneCode
from marketplace.accounts.forms import PhoneCodeForm, PhoneForm
from marketplace.accounts.models import PhoneCode
from marketplace.accounts.selectors import person
from marketplace.core.forms import posted
from marketplace.core.visitors import address_of

_ASKED = "phone_asked"  # in the session: what was asked for here, and for which number


def _if_offered(view: Any) -> Any:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sms.is_on():
            raise Http404
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    return guarded


# --- Signing in --------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@_if_offered
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("storefront:home")
    form = PhoneForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["number"]
        try:
            asked = phones.ask_to_sign_in(number=number, address=address_of(request))
        except TooManyCodes as error:
            return _refused(request, "accounts/phone_sign_in.html", form, error)
        _remember(request, PhoneCode.Purpose.SIGN_IN, asked, number)
        return redirect(_with_next(request, "phone_sign_in_code"))
    status = 422 if form.is_bound else 200
    return render(request, "accounts/phone_sign_in.html", _context(request, form), status=status)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@_if_offered
def sign_in_code(request: HttpRequest) -> HttpResponse:
    asked = _remembered(request, PhoneCode.Purpose.SIGN_IN)
    if request.user.is_authenticated or asked is None:
        return redirect("phone_sign_in")
    form = PhoneCodeForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        row = _checked(request, form, asked, PhoneCode.Purpose.SIGN_IN)
        if row is not None:
            try:
                user = phones.sign_in(row)
            except WrongPhoneCode as error:
                form.add_error("code", str(error.message))
            else:
                request.session.pop(_ASKED, None)
                record_authentication(request, user, "code", phone=row.number)
                response: HttpResponse = perform_login(
                    request, user, redirect_url=get_next_redirect_url(request)
                )
                return response
    context = _context(request, form) | {"masked": phones.masked(asked["number"]), "number": asked["number"]}
    return render(request, "accounts/phone_code.html", context, status=422 if form.is_bound else 200)


# --- Confirming --------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@_if_offered
def connect(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = PhoneForm(**(posted(request) or {"initial": {"number": user.phone_number or ""}}))
    if request.method == "POST" and form.is_valid():
        # It will open the account: nothing for a stolen session.
        confirmation.must_be_fresh(request)
        number = form.cleaned_data["number"]
        try:
            asked = phones.ask_to_confirm(user=user, number=number, address=address_of(request))
        except (TooManyCodes, SmsUnavailable) as error:
            return _refused(request, "accounts/phone.html", form, error)
        _remember(request, PhoneCode.Purpose.CONFIRM, asked, number)
        return redirect("accounts:phone_code")
    return render(request, "accounts/phone.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_required
@_if_offered
def connect_code(request: HttpRequest) -> HttpResponse:
    asked = _remembered(request, PhoneCode.Purpose.CONFIRM)
    if asked is None:
        return redirect("accounts:phone")
    form = PhoneCodeForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        row = _checked(request, form, asked, PhoneCode.Purpose.CONFIRM)
        if row is not None:
            try:
                phones.confirm(user=person(request), row=row)
            except WrongPhoneCode as error:
                form.add_error("code", str(error.message))
            else:
                request.session.pop(_ASKED, None)
                messages.success(request, _("Your phone is confirmed: you can sign in with it."))
                return redirect("accounts:ways")
    context = {
        "form": form,
        "masked": phones.masked(asked["number"]),
        "number": asked["number"],
        "is_confirming": True,
    }
    return render(request, "accounts/phone_code.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
@_if_offered
def disconnect(request: HttpRequest) -> HttpResponse:
    confirmation.must_be_fresh(request)
    phones.disconnect(user=person(request))
    messages.success(request, _("It opens your account no longer."))
    return redirect("accounts:ways")


@csrf_exempt
@require_POST
@_if_offered
def delivered(request: HttpRequest, token: str) -> HttpResponse:
    """The provider says what became of a message. The signed address is the only credential, and only the state is believed."""
    if not phones.note_delivery(token=token, status=request.POST.get("status", "")):
        raise Http404
    return HttpResponse(status=204)


# --- Pieces -------------------------------------------------------------------------------------------


def _checked(
    request: HttpRequest, form: PhoneCodeForm, asked: dict[str, str], purpose: str
) -> PhoneCode | None:
    """The request that the code belongs to; else the form says what is wrong."""
    if not guesses.may_try_here(request):
        form.add_error("code", str(LockedOut.message))
        return None
    try:
        return phones.check(request_id=asked["id"], code=form.cleaned_data["code"], purpose=purpose)
    except WrongPhoneCode as error:
        guesses.wrong_here(request)
        form.add_error("code", str(error.message))
        return None


def _remember(request: HttpRequest, purpose: str, asked: phones.Asked, number: str) -> None:
    request.session[_ASKED] = {"for": str(purpose), "id": str(asked.request_id), "number": number}


def _remembered(request: HttpRequest, purpose: str) -> dict[str, str] | None:
    asked: dict[str, str] | None = request.session.get(_ASKED)
    return asked if asked and asked["for"] == purpose else None


def _context(request: HttpRequest, form: Any) -> dict[str, Any]:
    return {"form": form, "next": get_next_redirect_url(request) or ""}


def _with_next(request: HttpRequest, name: str) -> str:
    wanted = get_next_redirect_url(request)
    return reverse(name) + (f"?{urlencode({'next': wanted})}" if wanted else "")


def _refused(request: HttpRequest, template: str, form: Any, error: Any) -> HttpResponse:
    form.add_error(None, str(error.message))
    response = render(request, template, _context(request, form), status=error.status)
    if wait := getattr(error, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response
