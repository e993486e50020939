"""The pages of conversations. Whatever is live here works as plain forms and links too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.selectors import person, public_person
from marketplace.core import htmx
from marketplace.core.errors import DomainError
from marketplace.core.forms import posted
from marketplace.core.live import pace
from marketplace.core.ways_back import own_path
from marketplace.listings import selectors as listings
from marketplace.messaging import room, selectors, services, serving
from marketplace.messaging.errors import ContactSeen, TooManyMessages
from marketplace.messaging.forms import EditForm, MessageForm, ReportForm
from marketplace.messaging.models import Conversation, Message
from marketplace.messaging.selectors import Thread
from marketplace.messaging.shown import as_data, with_words

PER_PAGE = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def inbox(request: HttpRequest) -> HttpResponse:
    """The person's conversations; a POST opens one about a listing, or with a person."""
    if request.method == "POST":
        return _open(request)
    return htmx.render(request, "messaging/inbox.html", _inbox(request), partials={"threads"})


def _inbox(request: HttpRequest) -> dict[str, Any]:
    query, show = request.GET.get("q", "")[:100], request.GET.get("show", "")
    found = selectors.inbox(request.user, query=query, only_unread=show == "unread")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "query": query, "show": show, "active": "chats"}


def _open(request: HttpRequest) -> HttpResponse:
    user = person(request)
    try:
        listing_id = UUID(request.POST.get("listing", ""))
    except ValueError:
        other = public_person(request.POST.get("person", "")[:40])
        if other is None:
            raise Http404 from None
        opened = services.open_with(user=user, other=other)
        return redirect("messaging:thread", opened.pk)
    listing = listings.listing_for_page(listing_id, viewer=user)
    if listing is None:
        raise Http404
    return redirect("messaging:thread", services.open_about(listing=listing, buyer=user).pk)


def _thread(request: HttpRequest, conversation_id: UUID) -> Thread:
    try:
        return selectors.thread_of(request.user, conversation_id)
    except Conversation.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
@never_cache
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _page(request, _thread(request, conversation_id), MessageForm())


def _page(request: HttpRequest, found: Thread, form: MessageForm, **context: Any) -> HttpResponse:
    """The thread beside the inbox."""
    context = {**_inbox(request), **room.enter(person(request), found), "form": form, **context}
    return render(request, "messaging/thread.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def thread_messages(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """GET `?before=` gives older messages, `?since=` those from one on (bubbles only); a POST says something."""
    found = _thread(request, conversation_id)
    if request.method == "POST":
        return _send(request, found)
    since, before = _key(request, "since"), _key(request, "before")
    if found.side is None and (since is not None or htmx.is_from(request)):
        services.note_oversight(
            conversation=found.conversation, reader=person(request)
        )  # a page notes it itself
    if since is not None:
        rows, has_older = selectors.since(found, since), False
        if found.side is not None:
            services.mark_read(conversation_id=conversation_id, user=person(request))
    elif before is not None:
        rows, has_older = selectors.page_of(found, before=before)
        if not htmx.is_from(request):
            context = {**_inbox(request), **room.enter(person(request), found)}
            context |= {
                "log": [with_words(as_data(row)) for row in rows],
                "has_older": has_older,
                "is_old": True,
            }
            return render(request, "messaging/thread.html", context)
    else:
        return redirect("messaging:thread", conversation_id)
    context = {
        "conversation": found.conversation,
        "log": [with_words(as_data(row)) for row in rows],
        "has_older": has_older,
        "is_overseen": found.side is None,
    }
    return render(request, "messaging/_log.html", context)


def _key(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(request.GET[name])
    except (KeyError, ValueError):
        return None


def _send(request: HttpRequest, found: Thread) -> HttpResponse:
    if found.side is None:
        raise Http404
    form = MessageForm(request.POST, request.FILES)
    seen: ContactSeen | None = None
    if form.is_valid():
        try:
            _count(request)
            said = services.send(
                conversation_id=found.conversation.pk,
                sender=person(request),
                text=form.cleaned_data["text"],
                client_id=form.cleaned_data["client_id"],
                attachment=form.cleaned_data["file"],
                send_anyway=form.cleaned_data["anyway"],
            )
        except ContactSeen as error:
            seen = error
            form.add_error("text", str(error.message))
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            return _said(request, said)
    if htmx.is_from(request):
        context = {"conversation": found.conversation, "form": form, "contact": seen}
        return render(request, "messaging/_composer.html", context, status=422)
    return _page(request, found, form, contact=seen)


def _count(request: HttpRequest) -> None:
    """One more message of this person's minute, whatever way it comes. Raises TooManyMessages."""
    if wait := pace.spend(person(request).pk):
        raise TooManyMessages(str(person(request).pk), retry_after=wait)


def _said(request: HttpRequest, said: Message) -> HttpResponse:
    if htmx.is_from(request):
        return render(
            request, "messaging/_log.html", {"log": [as_data(said)], "conversation": said.conversation}
        )
    thread = reverse("messaging:thread", args=[said.conversation_id])
    return redirect(f"{own_path(request, request.POST.get('next')) or thread}#m-{said.pk}")


@require_POST
@login_required
def read(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page is being looked at."""
    found = _thread(request, conversation_id)
    if found.side is not None:
        services.mark_read(conversation_id=conversation_id, user=person(request))
    return (
        HttpResponse(status=204) if htmx.is_from(request) else redirect("messaging:thread", conversation_id)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def edit(request: HttpRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    found, message = _message(request, conversation_id, message_id, is_own=True)
    form = EditForm(**posted(request), initial={"text": message.text})
    seen: ContactSeen | None = None
    if request.method == "POST" and form.is_valid():
        try:
            services.edit(
                conversation_id=conversation_id,
                message_id=message_id,
                sender=person(request),
                text=form.cleaned_data["text"],
                send_anyway=form.cleaned_data["anyway"],
            )
        except ContactSeen as error:
            seen = error
            form.add_error("text", str(error.message))
        except DomainError as error:
            form.add_error("text", str(error.message))
        else:
            return _back(message)
    context = {"conversation": found.conversation, "message": message, "form": form, "contact": seen}
    return render(request, "messaging/edit.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def take_back(request: HttpRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """Delete for both, after asking."""
    found, message = _message(request, conversation_id, message_id, is_own=True)
    if request.method == "POST":
        services.take_back(conversation_id=conversation_id, message_id=message_id, sender=person(request))
        return _back(message)
    context = {"conversation": found.conversation, "message": message}
    return render(request, "messaging/take_back.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def report(request: HttpRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    found, message = _message(request, conversation_id, message_id, is_own=False)
    form = ReportForm(**posted(request))
    if request.method == "POST" and form.is_valid():
        services.report(
            conversation_id=conversation_id,
            message_id=message_id,
            reporter=person(request),
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
        )
        messages.success(request, _("The moderators will look at it. Thank you."))
        return _back(message)
    context = {"conversation": found.conversation, "message": message, "form": form}
    return render(request, "messaging/report.html", context, status=422 if form.is_bound else 200)


def _message(
    request: HttpRequest, conversation_id: UUID, message_id: UUID, *, is_own: bool
) -> tuple[Thread, Message]:
    """A message that is still there, one's own or the other one's."""
    found = _thread(request, conversation_id)
    if found.side is None:
        raise Http404
    alive = found.messages().filter(deleted_at__isnull=True, sender__isnull=False)
    mine = alive.filter(sender=person(request)) if is_own else alive.exclude(sender=person(request))
    return found, get_object_or_404(mine, pk=message_id)


def _back(message: Message) -> HttpResponse:
    thread_url = reverse("messaging:thread", args=[message.conversation_id])
    return redirect(f"{thread_url}#m-{message.pk}")


@require_safe
@login_required
@never_cache
def attachment(request: HttpRequest, conversation_id: UUID, message_id: UUID) -> FileResponse:
    return serving.file_response(request.user, conversation_id, message_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def clear(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Delete the thread for oneself, after asking."""
    found = _own(request, conversation_id)
    if request.method == "POST":
        services.clear(conversation_id=conversation_id, user=person(request))
        messages.success(request, _("The conversation is deleted for you."))
        return redirect("messaging:inbox")
    other = found.conversation.other(request.user)
    return render(request, "messaging/clear.html", {"conversation": found.conversation, "other": other})


@require_POST
@login_required
def mute(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    is_muted = request.POST.get("muted") == "1"
    services.mute(conversation_id=found.conversation.pk, user=person(request), is_muted=is_muted)
    return redirect("messaging:thread", conversation_id)


@require_POST
@login_required
def block(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Block the other one of this conversation, or lift it (`blocked=0`)."""
    found = _own(request, conversation_id)
    other, user = found.conversation.other(request.user), person(request)
    if request.POST.get("blocked") == "0":
        services.unblock(user=user, other=other)
    else:
        services.block(user=user, other=other)
        messages.success(request, _("You get no more messages from %(name)s.") % {"name": other.display_name})
    return redirect("messaging:thread", conversation_id)


def _own(request: HttpRequest, conversation_id: UUID) -> Thread:
    found = _thread(request, conversation_id)
    if found.side is None:
        raise Http404
    return found
