"""The accounts' door for programs: tokens for people, and one's own profile.

An address that is not confirmed yet gets tokens too (the client's contract), and may do three things with them: read
itself, change its profile, sign out. Everything else asks for `IsVerified`, the API's default, and answers 403
`email_not_verified`; pages keep such a person out altogether.
"""

from copy import copy
from typing import Any, cast

from allauth.account import signals
from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm, ResetPasswordKeyForm, UserTokenForm
from allauth.account.models import EmailAddress, get_emailconfirmation_model
from allauth.core import ratelimit
from allauth.socialaccount.adapter import get_adapter as social_adapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import AccessToken

from marketplace.accounts import (
    confirmation,
    devices,
    guesses,
    new_browser,
    phones,
    second_factor,
    selectors,
    services,
    sms,
    social,
    tokens,
)
from marketplace.accounts.errors import (
    InvalidCredentials,
    LinkNotValid,
    MailedCodeRequired,
    SecondFactorRequired,
    WrongCode,
    WrongMailedCode,
    WrongPhoneCode,
)
from marketplace.accounts.forms import PhoneForm, ProfileForm, SignupForm
from marketplace.accounts.google import openid
from marketplace.accounts.models import PhoneCode, User
from marketplace.core.api.authentication import TokenAuthentication
from marketplace.core.api.bodies import valid
from marketplace.core.api.throttling import AddressThrottle, AuthenticationThrottle, PersonThrottle
from marketplace.core.live import tickets
from marketplace.core.visitors import address_of

type Errors = dict[str, list[str]]

_LONG = 1000  # of passwords: nobody's is longer, and each is hashed


# --- Shapes -----------------------------------------------------------------------------------------


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person as they see themselves. `rating` is a decimal string, null before the first review."""

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "username",
            "handle",
            "full_name",
            "display_name",
            "phone_number",
            "avatar",
            "is_verified",
            "is_staff",
            "plan",
            "is_premium",
            "rating",
            "rating_count",
            "total_sales",
            "total_purchases",
            "language",
            "timezone",
            "created_at",
        ]
        read_only_fields = fields


class ProfileChanges(serializers.Serializer[Any]):
    """What a person may change of themselves; what is not sent stays. The rules are the profile form's."""

    full_name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    username = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=30)
    phone_number = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=24)
    language = serializers.CharField(required=False, max_length=10)
    timezone = serializers.CharField(required=False, max_length=40)


class Registration(serializers.Serializer[Any]):
    """`password2`, where sent, must be the same as `password`."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=_LONG, trim_whitespace=False)
    password2 = serializers.CharField(max_length=_LONG, trim_whitespace=False, required=False)
    full_name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    username = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=30)
    phone_number = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=24)


class Credentials(serializers.Serializer[Any]):
    """`code`: the second factor's, where the person has one. `device`: what `LoginCode` gave the program."""

    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=_LONG, trim_whitespace=False)
    code = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    device = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class MailedCode(serializers.Serializer[Any]):
    request_id = serializers.UUIDField()
    code = serializers.CharField(max_length=12)


class GoogleToken(serializers.Serializer[Any]):
    """`nonce`: what the app had Google put into the token, where it did. `code`: the second factor's."""

    id_token = serializers.CharField(max_length=8192)
    nonce = serializers.CharField(max_length=255, required=False)
    code = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class NumberGiven(serializers.Serializer[Any]):
    """`phone_number` is read with spaces and dashes, like the profile's."""

    phone_number = serializers.CharField(max_length=24)


class CodeGiven(serializers.Serializer[Any]):
    """`code`: of the SMS. `mfa_code`: the second factor's, where the person has one. `device`: as in `Credentials`."""

    request_id = serializers.UUIDField()
    code = serializers.CharField(max_length=12)
    mfa_code = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    device = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class RefreshGiven(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096)


class AddressGiven(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class NewPassword(serializers.Serializer[Any]):
    """`token`: the last part of the link in the mail."""

    token = serializers.CharField(max_length=200)
    password = serializers.CharField(max_length=_LONG, trim_whitespace=False)


class KeyGiven(serializers.Serializer[Any]):
    """`key`: the last part of the link in the mail."""

    key = serializers.CharField(max_length=200)


# --- Limits -----------------------------------------------------------------------------------------


class RegisterThrottle(AddressThrottle):
    scope = "register"


class RefreshThrottle(AddressThrottle):
    scope = "refresh"


class TicketThrottle(PersonThrottle):
    scope = "ticket"


# --- In and out -------------------------------------------------------------------------------------


class Door(APIView):
    """Takes what people show, and no other credentials: a token that ran out must not keep them from signing in."""

    authentication_classes = ()
    permission_classes = ()


class Register(Door):
    """POST {email, password, password2?, full_name?, username?, phone_number?} -> 201 {access, refresh, user}.

    The same rules as the page's, and the same mail with a link to confirm the address. By calling this a client says that
    the person agreed to the terms.

    The page answers a known address like an unknown one and writes to its owner. This answer carries tokens, so it
    cannot pretend: it says `details.email`, writes to the owner all the same, and few tries an hour are given to an address.
    """

    throttle_classes = (AuthenticationThrottle, RegisterThrottle)

    def post(self, request: Request) -> Response:
        given = valid(Registration(data=request.data))
        person, email = _new_person(request, given)
        try:
            with transaction.atomic():
                address = services.sign_up(
                    user=person, email=email, language=get_language() or "", password=given["password"]
                )
                _send_confirmation(request, address, is_new=True)
        except IntegrityError:
            # Somebody took the address, the name or the number between the question and the answer.
            _new_person(request, given)
            raise
        signals.user_signed_up.send(sender=User, request=_plain(request), user=person)
        return _welcome(request, person, status=status.HTTP_201_CREATED)


class Login(Door):
    """POST {email, password, code?, device?} -> 200 {access, refresh, user}.

    401 `invalid_credentials`, the same for a wrong password and an unknown address, after the same work. 401 `mfa_required`
    when the password is right and the person has a second factor: ask again with `code`; a wrong one is `mfa_invalid`, and
    counts as a failure like a wrong password. 429 `locked_out` after too many (the lock is shared with the page), 429
    `too_many_requests` before a lock is even asked. An address that is not confirmed gets its link once more.

    401 `mail_code_required` when all that is right, the person has no second factor, and `device` is none of theirs: a code is in
    their mailbox, go on at `LoginCode` with `details.request_id`.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        given = valid(Credentials(data=request.data))
        email = given["email"].lower()
        person = authenticate(_plain(request), email=email, password=given["password"])
        if person is None:
            raise guesses.lock_met(_plain(request)) or InvalidCredentials("sign-in")
        _check_factor(request, person, given["code"])
        _check_device(request, person, given["device"])
        # Tells axes to forgive the failures before it, and notes the time.
        user_logged_in.send(sender=User, request=_plain(request), user=person)
        if not person.is_verified:
            _send_confirmation_again(request, person)
        return _welcome(request, person)


class LoginCode(Door):
    """POST {request_id, code} -> 200 {access, refresh, user, device}: goes on after `mail_code_required`.

    Keep `device` as you keep a password and show it at the next sign-in: no code is asked for then. 401 `code_not_valid`, the
    same for a wrong code, an old one and nobody's; five tries each, and each failure counts like a wrong password.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        given = valid(MailedCode(data=request.data))
        plain = _plain(request)
        sent = new_browser.pending(given["request_id"])
        if sent is None:
            raise WrongMailedCode("none that is open")
        if not guesses.may_try(plain, sent.user):
            raise guesses.lock_met(plain) or WrongMailedCode("too many tries")
        try:
            person = new_browser.spend_code(code_id=sent.pk, code="".join(given["code"].split()))
        except WrongMailedCode as error:
            guesses.wrong(plain, sent.user)
            raise guesses.lock_met(plain) or error from None
        guesses.right(plain, person)
        if second_factor.is_required(person):
            raise SecondFactorRequired("set up in between")
        device = devices.give_program(plain)
        user_logged_in.send(sender=User, request=plain, user=person)
        return _welcome(request, person, device=device)


class GoogleLogin(Door):
    """POST {id_token, nonce?, code?} -> 200 {access, refresh, user}, 201 where the person was made.

    `id_token` is what Google gives an app or a page that signs its user in; it is good here once. Who is let in, made or
    refused: as on the page (docs/accounts.md). 401 `provider_token_not_valid`; 403 `provider_email_not_verified`,
    `account_closed`; 409 `account_email_not_verified`; 503 `provider_unavailable`; 401 `mfa_required` and `mfa_invalid` as at
    sign-in, with the same token once more. 404 where Google is not set up.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        if not openid.is_on():
            raise Http404
        given = valid(GoogleToken(data=request.data))
        audiences = [settings.GOOGLE_CLIENT_ID, *settings.GOOGLE_APP_CLIENT_IDS]
        claims = openid.claims_of(given["id_token"], audiences=audiences, nonce=given.get("nonce"))
        login = self._login_of(request, claims)
        person = social.whose(login)
        if person is not None:
            _check_factor(request, person, given["code"])
        openid.spend(given["id_token"], claims)
        social.let_in(login, person)
        is_new = person is None
        if person is None:
            try:
                person = social.make_person(_plain(request), login)
            except IntegrityError:
                # They came twice at once with two tokens; the other one has made the account.
                login = self._login_of(request, claims)
                person, is_new = social.whose(login), False
                if person is None:
                    raise
        if is_new:
            signals.user_signed_up.send(sender=User, request=_plain(request), user=person)
        user_logged_in.send(sender=User, request=_plain(request), user=person)
        return _welcome(request, person, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    def _login_of(self, request: Request, claims: dict[str, Any]) -> SocialLogin:
        provider = social_adapter(_plain(request)).get_provider(_plain(request), "google")
        login = provider.sociallogin_from_response(_plain(request), claims)
        login.lookup()
        return login


class CodeRequest(Door):
    """POST {phone_number} -> 200 {request_id, expires_in, resend_in}, whoever has that number or nobody.

    An SMS goes out only to a number that its owner has confirmed on the site. 429 `too_many_codes`; 404 where no SMS are sent.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        if not sms.is_on():
            raise Http404
        form = PhoneForm(data={"number": valid(NumberGiven(data=request.data))["phone_number"]})
        _refuse(_errors(form, number="phone_number"))
        asked = phones.ask_to_sign_in(number=form.cleaned_data["number"], address=address_of(_plain(request)))
        return Response(
            {
                "request_id": str(asked.request_id),
                "expires_in": asked.expires_in,
                "resend_in": asked.resend_in,
            }
        )


class CodeVerify(Door):
    """POST {request_id, code, mfa_code?, device?} -> 200 {access, refresh, user}.

    401 `code_not_valid`, the same for a wrong code, an old one and nobody's; five tries each. 401 `mfa_required` and
    `mfa_invalid` as at sign-in: the same again with `mfa_code`. 401 `mail_code_required` as there: operators give numbers out
    again. Failures count towards the lock of the address.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        if not sms.is_on():
            raise Http404
        given = valid(CodeGiven(data=request.data))
        plain = _plain(request)
        if not guesses.may_try_here(plain):
            raise guesses.lock_met(plain) or WrongPhoneCode("locked")
        try:
            row = phones.check(
                request_id=given["request_id"], code=given["code"], purpose=PhoneCode.Purpose.SIGN_IN
            )
        except WrongPhoneCode as error:
            guesses.wrong_here(plain)
            raise guesses.lock_met(plain) or error from None
        _check_factor(request, cast("User", row.user), given["mfa_code"])
        person = phones.sign_in(row)
        _check_device(request, person, given["device"])
        user_logged_in.send(sender=User, request=plain, user=person)
        return _welcome(request, person)


class Renew(Door):
    """POST {refresh} -> 200 {access, refresh}. The refresh token that was sent is dead from then on."""

    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        given = valid(RefreshGiven(data=request.data))
        pair = tokens.renew(refresh=given["refresh"], **_place(request))
        return Response({"access": pair.access, "refresh": pair.refresh})


class Logout(Door):
    """POST {refresh} -> 204. Needs no access token, which may have run out; the one you have is dead too."""

    throttle_classes = (RefreshThrottle,)

    def post(self, request: Request) -> Response:
        tokens.revoke(refresh=valid(RefreshGiven(data=request.data))["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordReset(Door):
    """POST {email} -> 204, whoever has that address or nobody: mails the link for a new password, or that there is no account."""

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        form = ResetPasswordForm(data=valid(AddressGiven(data=request.data)))
        _refuse(_errors(form))
        email = form.cleaned_data["email"].lower()
        if ratelimit.consume(_plain(request), action="reset_password", key=email):
            form.save(_plain(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordResetConfirm(Door):
    """POST {token, password} -> 204. `token` is the last part of the link in the mail; it is good once.

    All sign-ins end; sign in with the new password. 400 `link_not_valid`, or `details.password`.
    """

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        given = valid(NewPassword(data=request.data))
        uid, _dash, key = given["token"].partition("-")
        link = UserTokenForm(data={"uidb36": uid, "key": key})
        person = link.reset_user if link.is_valid() else None
        if person is None or not person.is_active or person.deleted_at is not None:
            raise LinkNotValid("new password")
        passwords = {"password1": given["password"], "password2": given["password"]}
        form = ResetPasswordKeyForm(data=passwords, user=person, temp_key=key)
        _refuse(_errors(form, password1="password"))
        form.save()
        signals.password_reset.send(sender=User, request=_plain(request), user=person)
        return Response(status=status.HTTP_204_NO_CONTENT)


class EmailVerify(Door):
    """POST {key} -> 204: confirms the address. `key` is the last part of the link in the mail. 400 `link_not_valid`."""

    throttle_classes = (AuthenticationThrottle,)

    def post(self, request: Request) -> Response:
        key = valid(KeyGiven(data=request.data))["key"]
        confirmation = get_emailconfirmation_model().from_key(key)
        if confirmation is None or not confirmation.confirm(_plain(request)):
            raise LinkNotValid("confirmation")
        return Response(status=status.HTTP_204_NO_CONTENT)


class EmailResend(APIView):
    """POST -> 204: mails the link to one's address once more, at most every three minutes; nothing once it is confirmed."""

    permission_classes = (IsAuthenticated,)
    throttle_classes = (PersonThrottle,)

    def post(self, request: Request) -> Response:
        _send_confirmation_again(request, selectors.person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SocketTicket(APIView):
    """POST -> 201 {ticket, expires_in}: opens one websocket within `expires_in` seconds (docs/live.md).

    Only for who shows an access token: a browser on our pages comes by its session. The socket lives as long as the token;
    an address that is not confirmed gets no ticket.
    """

    authentication_classes = (TokenAuthentication,)
    throttle_classes = (TicketThrottle,)

    def post(self, request: Request) -> Response:
        access = cast("AccessToken", request.auth)
        language = get_language() or cast("User", request.user).language
        ticket = tokens.socket_ticket(access=access, language=language)
        return Response({"ticket": ticket, "expires_in": tickets.SECONDS}, status=status.HTTP_201_CREATED)


# --- Oneself ----------------------------------------------------------------------------------------


class Me(APIView):
    """GET -> the person; PATCH {full_name?, username?, phone_number?, language?, timezone?} -> the person as changed.

    "" and null take the username or the number away. Other names in the body are ignored.
    """

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response(self.shown(selectors.person(request)))

    def patch(self, request: Request) -> Response:
        changes = valid(ProfileChanges(data=request.data))
        person = selectors.person(request)
        form = _profile_form(person, changes)
        _refuse(_errors(form))
        try:
            with transaction.atomic():
                services.edit_profile(user=form.instance, changed=form.changed_data)
        except IntegrityError:
            # Somebody else took the name or the number between the question and the answer: ask again.
            _refuse(_errors(_profile_form(person, changes)))
            raise
        return Response(self.shown(form.instance))

    def shown(self, person: User) -> dict[str, Any]:
        return dict(PersonSerializer(person, context={"request": self.request}).data)


# --- Pieces -----------------------------------------------------------------------------------------


def _plain(request: Request) -> HttpRequest:
    """Django's own request: axes and allauth leave notes on it."""
    return request._request  # noqa: SLF001


def _place(request: Request) -> dict[str, str]:
    """What the person is shown of this sign-in."""
    agent = request.headers.get("User-Agent", "")
    return {"device": devices.program_name(agent), "address": address_of(_plain(request))}


def _check_factor(request: Request, person: User, code: str) -> None:
    """Whoever has a second factor shows it too."""
    if not second_factor.is_required(person):
        return
    if not code:
        raise SecondFactorRequired("no code")
    if not confirmation.is_code(_plain(request), person, code):
        raise guesses.lock_met(_plain(request)) or WrongCode("second factor")


def _check_device(request: Request, person: User, device: str) -> None:
    """Whoever is new to the person has a code mailed to them, and goes on elsewhere. Raises MailedCodeRequired, TooManyCodes."""
    token = devices.well_formed(device)
    if new_browser.is_code_needed(person, token=token):
        sent = new_browser.send_code(person)
        raise MailedCodeRequired(
            "new program",
            request_id=str(sent.pk),
            expires_in=int(settings.MAIL_CODE_LIFE.total_seconds()),
        )
    if devices.is_trusted(person, token):
        devices.take_of_program(_plain(request), token)


def _refuse(errors: Errors) -> None:
    if errors:
        raise serializers.ValidationError(errors)


def _errors(form: BaseForm, **renamed: str) -> Errors:
    """A form's complaints under the API's names."""
    return {
        renamed.get(name, name).replace("__all__", "non_field_errors"): [str(message) for message in messages]
        for name, messages in form.errors.items()
    }


def _profile_form(person: User, changes: dict[str, Any]) -> ProfileForm:
    """The page's form with the fields that were sent, on a copy: the signed-in person changes once it is saved."""
    form = ProfileForm(
        data={name: "" if value is None else value for name, value in changes.items()}, instance=copy(person)
    )
    for name in set(form.fields) - set(changes):
        del form.fields[name]
    return form


def _new_person(request: Request, given: dict[str, Any]) -> tuple[User, str]:
    """The person to register, not saved yet, and the address. Raises ValidationError with all that is wrong."""
    profile = _profile_form(
        User(), {name: given[name] for name in ("full_name", "username", "phone_number") if name in given}
    )
    password = given["password"]
    sign_up = SignupForm(
        data={
            "email": given["email"],
            "password1": password,
            "password2": given.get("password2", password),
            "terms": True,
        }
    )
    del sign_up.fields["full_name"]
    profile.is_valid()
    sign_up.about = profile.instance
    errors = _errors(sign_up, password1="password") | _errors(profile)
    email = given["email"].lower()
    if sign_up.account_already_exists:
        if not errors and _may_mail(request, email):
            get_adapter(_plain(request)).send_account_already_exists_mail(email)
        errors["email"] = [
            _("No account can be made with this address. If it is yours, sign in or ask for a new password.")
        ]
    _refuse(errors)
    return profile.instance, email


def _send_confirmation(request: Request, address: EmailAddress, *, is_new: bool) -> None:
    """The mail of the page, as often as the page would send it."""
    if _may_mail(request, address.email):
        address.send_confirmation(_plain(request), signup=is_new)


def _send_confirmation_again(request: Request, person: User) -> None:
    """To an address that is confirmed already nothing is sent."""
    address = EmailAddress.objects.filter(user=person, email=person.email, verified=False).first()
    if address is not None:
        _send_confirmation(request, address, is_new=False)


def _may_mail(request: Request, email: str) -> bool:
    return bool(ratelimit.consume(_plain(request), action="confirm_email", key=email))


def _welcome(request: Request, person: User, *, status: int = status.HTTP_200_OK, **more: str) -> Response:
    pair = tokens.issue(user=person, **_place(request))
    user = PersonSerializer(person, context={"request": request}).data
    return Response({"access": pair.access, "refresh": pair.refresh, "user": user, **more}, status=status)
