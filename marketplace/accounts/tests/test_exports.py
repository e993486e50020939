"""The copy of one's data: asked for after saying who one is, made once, given to its owner only, deleted with time."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import exports, traces
from marketplace.accounts.errors import ExportTooSoon
from marketplace.accounts.models import DataExport
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.core.downloads import Download
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
PAGE, ASK = "/me/privacy/", "/me/privacy/export/"


@pytest.fixture
def user():
    return UserFactory(email="aziza@example.uz", full_name="Aziza Karimova")


@pytest.fixture
def visitor(user):
    """Signed in, and has just said who they are."""
    return confirmed(user)


def confirmed(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(ASK)  # 405, but the session is there
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": PAGE})
    return client


def made(user, **age):
    export = exports.ask(user=user, at=timezone.now() - timedelta(**age))
    exports.build(export_id=export.pk, at=timezone.now() - timedelta(**age))
    export.refresh_from_db()
    return export


def fetched(client, export):
    return client.get(reverse("accounts:export_fetch", args=[export.pk]))


def files():
    try:
        return storages["private"].listdir("exports")[1]
    except FileNotFoundError:
        return []


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    """Other tests, at the same time too, leave files in the folder of all."""
    private = settings.STORAGES["private"]
    options = {**private.get("OPTIONS", {}), "location": str(tmp_path)}
    settings.STORAGES = {**settings.STORAGES, "private": {**private, "OPTIONS": options}}


# --- From asking to fetching ------------------------------------------------------------------------


def test_a_copy_is_asked_for_made_told_and_fetched(user, visitor, django_capture_on_commit_callbacks):
    asked = visitor.post(ASK, follow=True)
    assert "being made" in asked.content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
    page = visitor.get(PAGE).content.decode()
    export = DataExport.objects.get()
    answer = fetched(visitor, export)

    assert reverse("accounts:export_fetch", args=[export.pk]) in page
    assert [letter.subject for letter in mail.outbox] == ["The copy of your data is ready"]
    assert user.notifications.get().action_url == PAGE
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        profile = json.loads(archive.read("profile.json"))
    assert [row["email"] for row in profile] == ["aziza@example.uz"]


def test_asking_and_fetching_take_the_password_of_a_moment_ago(user):
    stolen = Client()
    stolen.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    export = made(user, days=2)

    asked, got = stolen.post(ASK), fetched(stolen, export)

    assert asked.status_code == got.status_code == 302
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert got.url.startswith("/accounts/reauthenticate/")
    assert DataExport.objects.count() == 1


def test_the_file_is_a_download_that_runs_nothing_and_is_kept_by_nobody(user, visitor):
    answer = fetched(visitor, made(user))

    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="wibestore-')
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("factory", [UserFactory, StaffFactory])
def test_nobody_else_gets_it_not_even_staff(user, factory):
    export = made(user)

    assert fetched(confirmed(factory()), export).status_code == 404
    assert fetched(Client(), export).url.startswith("/accounts/login/")


def test_after_seven_days_it_cannot_be_fetched_and_the_file_is_deleted(user, visitor):
    young, old = made(UserFactory(), days=6), made(user, days=8)

    assert fetched(visitor, old).status_code == 404
    assert "deleted" in visitor.get(PAGE).content.decode()
    exports.clear_up(at=timezone.now())
    run_jobs()

    old.refresh_from_db()
    assert (old.status, old.file) == ("expired", "")
    assert files() == [young.file.rpartition("/")[2]]


def test_one_whose_file_is_lost_is_not_found(user, visitor):
    export = made(user)
    storages["private"].delete(export.file)

    assert fetched(visitor, export).status_code == 404


# --- One a day, once --------------------------------------------------------------------------------


def test_one_a_day(user, visitor):
    now = timezone.now()
    exports.ask(user=user, at=now)

    with pytest.raises(ExportTooSoon):
        exports.ask(user=user, at=now + timedelta(hours=23))
    assert "already today" in visitor.post(ASK, follow=True).content.decode()
    DataExport.objects.update(status="expired")
    exports.ask(user=user, at=now + timedelta(hours=25))

    assert DataExport.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one(user):
    now = timezone.now()

    results = in_parallel(lambda: exports.ask(user=user, at=now), lambda: exports.ask(user=user, at=now))

    assert sorted(type(one).__name__ for one in results) == ["DataExport", "ExportTooSoon"]


def test_the_database_itself_lets_one_wait(user):
    DataExport.objects.create(user=user)

    with pytest.raises(IntegrityError), transaction.atomic():
        DataExport.objects.create(user=user)


def test_what_could_not_be_made_for_a_day_is_given_up_and_may_be_asked_for_again(user, visitor):
    lost = exports.ask(user=user, at=timezone.now() - timedelta(hours=25))
    DataExport.objects.update(file="exports/half.zip")

    exports.clear_up(at=timezone.now())

    lost.refresh_from_db()
    assert (lost.status, lost.file) == ("failed", "")
    assert Job.objects.filter(task="tasks.core.delete_files").exists()
    assert "could not be made" in visitor.get(PAGE).content.decode()
    exports.ask(user=user, at=timezone.now())


def test_made_twice_it_is_one_file(user):
    export = made(user)
    name = export.file

    exports.build(export_id=export.pk, at=timezone.now())

    export.refresh_from_db()
    assert export.file == name
    assert files() == [name.rpartition("/")[2]]


def test_a_crash_after_the_file_was_written_leaves_no_file_behind(user, monkeypatch):
    export = exports.ask(user=user, at=timezone.now())

    def crash(_fact):
        raise RuntimeError("the power went")

    monkeypatch.setattr(exports, "announce", crash)
    with pytest.raises(RuntimeError):
        exports.build(export_id=export.pk, at=timezone.now())
    assert len(files()) == 1
    monkeypatch.undo()
    exports.build(export_id=export.pk, at=timezone.now())

    export.refresh_from_db()
    assert export.status == "ready"
    assert files() == [export.file.rpartition("/")[2]]


def test_who_is_gone_before_it_is_made_leaves_no_file(user, monkeypatch):
    export = exports.ask(user=user, at=timezone.now())
    write = exports._write

    def write_and_vanish(*args, **kwargs):
        write(*args, **kwargs)
        DataExport.objects.all().delete()

    monkeypatch.setattr(exports, "_write", write_and_vanish)
    exports.build(export_id=export.pk, at=timezone.now())

    assert files() == []


def test_a_file_that_is_gone_since_is_left_out_and_the_rest_is_there(user, monkeypatch):
    gone = traces.File("gone.txt", storages["private"], "nowhere/gone.txt")
    part = traces.Part("things", "Things.", (), lambda _user: [{"a": 1}], lambda _user: [gone])
    monkeypatch.setattr(traces, "parts", lambda: [part])

    export = made(user)

    with zipfile.ZipFile(exports.opened(export)) as archive:
        assert archive.namelist() == ["things.json", "README.txt"]
        assert json.loads(archive.read("things.json")) == [{"a": 1}]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Your data at WibeStore"), ("ru", "Ваши данные"), ("uz", "maʼlumotlaringiz")],
)
def test_a_page_explains_every_file_in_the_persons_language(language, words):
    export = made(UserFactory(language=language))

    with zipfile.ZipFile(exports.opened(export)) as archive:
        text = archive.read("README.txt").decode("utf-8-sig")
        names = archive.namelist()
    assert words in text
    assert all(name in text for name in names if name.endswith(".json"))


def test_the_page_costs_the_same_whatever_there_is(user, visitor, django_assert_num_queries):
    made(user)
    visitor.get(PAGE)

    with django_assert_num_queries(6):  # the session, the person, the last copy, and three of the header
        visitor.get(PAGE)


def test_on_every_kind_of_server_the_file_goes_out_in_pieces():
    read = []

    class File(io.BytesIO):
        def read(self, size=-1):
            read.append(size)
            return super().read(size)

    async def first_two():
        pieces = aiter(Download(File(b"x" * 200_000)))
        return await anext(pieces), await anext(pieces)

    first, second = async_to_sync(first_two)()

    assert len(first) == len(second) == Download.block_size
    assert read == [Download.block_size] * 2
