"""The step of signing in that asks for a code from the mail (see `new_browser`), and its page."""

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.stagekit import clear_login, stash_login
from allauth.account.stages import LoginStage
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts import devices, guesses, new_browser
from marketplace.accounts.errors import LockedOut, TooManyCodes, WrongMailedCode
from marketplace.accounts.forms import MailedCodeForm
from marketplace.accounts.models import SignInCode
from marketplace.core.forms import posted

_KEY = "new_browser"


class NewBrowserStage(LoginStage):
    """Stops a sign-in until the code is there. Of the state, `code_id` is the code that was sent last."""

    key = _KEY
    urlname = "new_browser_code"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if "code_id" not in self.state:
            if not self._is_needed():
                return None, True
            try:
                self.send()
            except TooManyCodes as error:
                messages.error(self.request, str(error.message))
                return redirect("account_login"), False
        return redirect(self.urlname), True

    def send(self, after: SignInCode | None = None) -> None:
        """Raises TooManyCodes."""
        self.state["code_id"] = str(new_browser.send_code(self.login.user, after=after).pk)

    def _is_needed(self) -> bool:
        """Not of those who have come by Google, where the mailbox is, or have just opened a letter of ours."""
        user, request = self.login.user, self.request
        records = get_authentication_records(request, user)
        is_by_google = bool(records) and records[-1].get("provider") == "google"
        if is_by_google or new_browser.has_shown_mailbox(request, user):
            return False
        return new_browser.is_code_needed(user, token=devices.token_of(request))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@login_stage_required(stage=_KEY, redirect_urlname="account_login")
def code(request: HttpRequest) -> HttpResponse:
    stage, sent = _where_they_are(request)
    if sent is None:
        return _begin_again(request)
    form = MailedCodeForm(**posted(request))
    if request.method == "POST" and form.is_valid() and _is_right(request, form, sent):
        record_authentication(request, sent.user, "code", email=sent.user.email)
        done: HttpResponse = stage.exit()
        return done
    return _page(request, form, sent, status=422 if form.is_bound else 200)


@never_cache
@require_POST
@login_stage_required(stage=_KEY, redirect_urlname="account_login")
def code_again(request: HttpRequest) -> HttpResponse:
    stage, sent = _where_they_are(request)
    if sent is None:
        return _begin_again(request)
    try:
        stage.send(after=sent)
    except TooManyCodes as error:
        response = _page(request, MailedCodeForm(), sent, status=error.status, refused=str(error.message))
        response["Retry-After"] = str(error.retry_after)
        return response
    stash_login(request, stage.login)
    messages.success(request, _("Another code is on its way."))
    return redirect("new_browser_code")


def _where_they_are(request: HttpRequest) -> tuple[NewBrowserStage, SignInCode | None]:
    stage: NewBrowserStage = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 (allauth's decorator leaves it there)
    return stage, new_browser.pending(stage.state["code_id"])


def _is_right(request: HttpRequest, form: MailedCodeForm, sent: SignInCode) -> bool:
    """Whether the code is the one that was sent, which is used up; else the form says so, and it counts towards the lock."""
    if not guesses.may_try(request, sent.user):
        form.add_error("code", str(LockedOut.message))
        return False
    try:
        new_browser.spend_code(code_id=sent.pk, code=form.cleaned_data["code"])
    except WrongMailedCode as error:
        guesses.wrong(request, sent.user)
        form.add_error("code", str(error.message))
        return False
    guesses.right(request, sent.user)
    return True


def _begin_again(request: HttpRequest) -> HttpResponse:
    """The code was used in another tab, or is forgotten."""
    clear_login(request)
    return redirect("account_login")


def _page(
    request: HttpRequest, form: MailedCodeForm, sent: SignInCode, *, status: int, refused: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "email": sent.user.email, "refused": refused}
    return render(request, "accounts/new_browser_code.html", context, status=status)
