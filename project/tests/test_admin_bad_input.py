"""Whatever is sent to the administration by somebody who may do everything there: never a crash.

The models come from the registry, so a new one is swept from its first day. Every model is looked at with a row of it where
the town has one, and gets its share of the values; over all models every value has its turn.
"""

import re
import zlib
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import StaffFactory
from marketplace.core.models import Job
from project.tests.test_bad_input import MARK, NAUGHTY, browser, faults, fields_of, town  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# What Django's own lists read from an address.
ASKED = ["q", "p", "o", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters", "_source_model"]
NUMBERS = ["-1", "0", "99999999999999999999", "1e309", "1.5", "1,2", "-1.-1.99.x", "٣", ""]


class Undoing(Client):
    """Takes back what each request has done: the rows are there for the next one."""

    def request(self, **request):
        before = transaction.savepoint_create()
        try:
            return super().request(**request)
        finally:
            transaction.savepoint_rollback(before)
            transaction.set_rollback(False)


@pytest.fixture
def chief(town):  # noqa: F811
    """The browser of an administrator, in a town where things have happened."""
    Job.objects.create(task="tasks.core.none", status="failed")
    client = Undoing(raise_request_exception=False)
    client.force_login(StaffFactory())
    return client


def share(values, model, name):
    """Four of the values; over all models and names every value has its turn."""
    start = zlib.crc32(f"{model._meta.label}.{name}".encode())
    return [values[(start + step) % len(values)] for step in range(4)]


def address(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def rows(model):
    """One row of it, if there is any, and ids of rows that are not."""
    return [*model._default_manager.values_list("pk", flat=True)[:1], "00000000-0000-7000-8000-000000000000"]


def lookups(model):
    """What may stand in an address as a filter: of this model, of people it leads to, and what is no field at all."""
    names = [field.name for field in model._meta.get_fields()]
    ends = (
        "",
        "__exact",
        "__in",
        "__isnull",
        "__gte",
        "__range",
        "__contains",
        "__iexact",
        "__year",
        "__id__exact",
    )
    strange = [
        "seller__password__startswith",
        "user__password",
        "pk__in",
        "__",
        "a__b__c",
        "created_at__day",
        "; --",
    ]
    return [f"{name}{ends[n % len(ends)]}" for n, name in enumerate(names)] + [*names, *strange]


def test_models_are_found():
    assert len(MODELS) > 12


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_question_breaks_a_list(chief, model):
    path, found = address(model, "changelist"), []
    assert chief.get(path).status_code == 200
    for name in ASKED:
        for value in share([*NAUGHTY, *NUMBERS], model, name):
            found += faults(chief.get(path, {name: value}), f"{path} {name}={value[:20]!r}")
    for name in lookups(model):
        for value in ["9" * 40, *share(NAUGHTY, model, name)[:1]]:
            found += faults(chief.get(path, {name: value}), f"{path} {name}={value[:20]!r}")

    assert found == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_address_breaks_a_row(chief, model):
    found = []
    for page in ("change", "history", "delete"):
        for pk in [*rows(model), *share(NAUGHTY, model, page), "\x00", "9" * 40]:
            path = address(model, page, quote(str(pk), safe="") or "x")
            found += faults(chief.get(path), path[:120])
            found += faults(chief.post(path, {"post": "yes", "_popup": MARK}), f"POST {path[:120]}")

    assert found == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_form_breaks_a_row_or_a_list(chief, model):
    found = []
    paths = [address(model, "add"), address(model, "changelist")]
    paths += [address(model, "change", pk) for pk in rows(model)]
    for path in paths:
        fields = {name for name in fields_of(chief, path) if name.isascii()}
        fields |= {"action", ACTION_CHECKBOX_NAME, "index", "select_across", "form-TOTAL_FORMS", "_save"}
        found += faults(chief.post(path), f"POST {path} nothing")
        for value in ["\x00", "9" * 40, *share(NAUGHTY, model, path)]:
            found += faults(chief.post(path, dict.fromkeys(fields, value)), f"POST {path} {value[:20]!r}")
        files = {
            name: SimpleUploadedFile("x\x00.png", b"\x89PNG\r\n\x1a\nnot really")
            for name in sorted(fields)[:8]
        }
        found += faults(chief.post(path, files), f"POST {path} files")

    assert found == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_selection_breaks_an_action(chief, model):
    path, found = address(model, "changelist"), []
    known = [
        *re.findall(r'<option value="(\w+)">', chief.get(path).content.decode()),
        "no_such_action",
        "\x00",
        "",
    ]
    for action in known:
        for chosen in (rows(model)[:1], ["x"], ["\x00"], ["-1", "9" * 40], NAUGHTY[:20]):
            form = {
                "action": action,
                ACTION_CHECKBOX_NAME: [str(pk) for pk in chosen],
                "index": "0",
                "reason": "x\x00",
            }
            found += faults(chief.post(path, form), f"{path} {action!r} {[str(pk)[:20] for pk in chosen]}")

    assert found == []


def test_the_pages_around_the_models_hold_too(chief):
    found = []
    listing = ContentType.objects.get(app_label="listings", model="listing").pk
    for value in NAUGHTY:
        safe = quote(value[:200], safe="") or "x"
        for path in (
            f"/admin/{safe}/",
            f"/admin/r/{listing}/{safe}/",
            f"/admin/r/{safe}/x/",
            f"/admin/accounts/user/{safe}/password/",
        ):
            found += faults(chief.get(path), path[:100])
            found += faults(chief.post(path, {"password1": value, "password2": value}), f"POST {path[:100]}")
        asked = {"app_label": value, "model_name": value, "field_name": value, "term": value, "page": value}
        found += faults(chief.get("/admin/autocomplete/", asked), f"autocomplete {value[:20]!r}")
        form = {"username": value, "password": value, "next": value, "old_password": value}
        for path in ("/admin/login/", "/admin/password_change/", "/admin/logout/"):
            found += faults(browser(None).post(path, form), f"POST {path} {value[:20]!r}")

    assert found == []
