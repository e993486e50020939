"""A real server and a real Chromium: one server, one database, and what is written there stays for the whole run.

The server runs in a thread of this process, so mails and jobs can be looked at from the tests, and a test may use the
services to bring people and trades to where it begins.
"""

import os
import socket
import threading
import time
from datetime import timedelta

import pytest
import uvicorn
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core import mail
from django.db import connection
from django.test import override_settings
from django.test.utils import setup_databases, teardown_databases

from e2e import axe
from e2e.people import Person
from marketplace.accounts.tests import openid_server
from marketplace.core.testing import run_jobs

START_SECONDS = 20


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    alone = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"]
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    return {
        **browser_type_launch_args,
        "executable_path": path,
        "args": [*alone, *quiet, "--force-color-profile=srgb"],
    }


@pytest.fixture(scope="session")
def database(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """Open for the whole run: nothing is rolled back, so every test makes people of its own.

    pytest-django makes a database only for tests that carry its marker, which would roll back or flush after each.
    """
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        yield
        connection.close()
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def google():
    """The stand-in for Google, which shows a page to press on."""
    with openid_server.running() as server:
        server.is_asking = True
        yield server


@pytest.fixture(scope="session")
def site(database, google):
    """The address of the running site."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    manager = {"name": "Malika Yusupova", "contact": "@wibestore_pro"}
    with override_settings(
        SITE_URL=address, SANDBOX_WEBHOOK_BASE=address, ROOT_URLCONF="e2e.urls", PERSONAL_MANAGER=manager,
        # A bot that is offered and that nobody answers for.
        GOOGLE_CLIENT_ID=openid_server.CLIENT_ID, GOOGLE_CLIENT_SECRET=openid_server.CLIENT_SECRET, GOOGLE_ISSUER=google.url,
        SECURE_CSP=settings.SECURE_CSP | {"form-action": [*settings.SECURE_CSP["form-action"], google.url]},
        TELEGRAM_LOGIN=True, TELEGRAM_OAUTH_BASE=google.url,
        SMS_PROVIDER="kept", SMS_PROVIDERS={"kept": "e2e.people.KeptSms"}, PHONE_CODE_PAUSE=timedelta(0),
        TELEGRAM_BOT_TOKEN="1:e2e", TELEGRAM_BOT_NAME="wibestore_bot", TELEGRAM_API_BASE="http://127.0.0.1:9",
    ):  # fmt: skip
        from project.asgi import application

        config = uvicorn.Config(ASGIStaticFilesHandler(application), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server takes too long to start"
            time.sleep(0.02)
        yield address
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def axe_source():
    return axe.source()


@pytest.fixture(autouse=True)
def _mails_are_kept(mailoutbox):
    """pytest-django empties the outbox before each test; asking for it makes that plain."""


@pytest.fixture(autouse=True)
def _google_knows_the_same_person_again(google):
    """Whoever a test before has put there is not there any more, in whatever order they run."""
    google.who = openid_server.person()


@pytest.fixture
def letters():
    """Do what is due, then give the letters to an address, oldest first."""

    def to(address):
        run_jobs()
        return [letter for letter in mail.outbox if address in letter.to]

    return to


@pytest.fixture
def visitor(browser, site, letters):
    """`visitor(scripts=False)`: somebody with a browser of their own. Console errors fail the test at its end."""
    people = []

    def arrive(*, scripts=True, **options):
        context = browser.new_context(
            **{
                "base_url": site,
                "java_script_enabled": scripts,
                "viewport": {"width": 1280, "height": 900},
                **options,
            }
        )
        context.set_default_timeout(10_000)
        people.append(Person(context.new_page(), letters))
        return people[-1]

    yield arrive
    complaints = [line for person in people for line in person.complaints]
    for person in people:
        person.page.context.close()
    assert not complaints
