"""The key that pages are given for what they keep in the browser."""

import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from marketplace.core.browser_storage import key_for
from marketplace.messaging.tests.factories import conversation

pytestmark = pytest.mark.django_db


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def key_in(client, thread):
    answer = client.get(reverse("messaging:thread", args=[thread.pk]))
    assert "no-store" in answer["Cache-Control"]
    (key,) = re.findall(r'data-key="([^"]*)"', answer.text)
    return key


def test_a_session_has_one_key_and_each_session_its_own():
    thread = conversation()
    here, there = browser(thread.buyer), browser(thread.buyer)

    assert key_in(here, thread) == key_in(here, thread)
    assert key_in(here, thread) != key_in(there, thread)
    assert key_in(here, thread) == key_for(here.session)


def test_a_session_that_gets_another_name_gets_another_key():
    """As a new password and each sign-in do it."""
    session = SessionStore()
    session.create()
    before = key_for(session)

    session.cycle_key()

    assert key_for(session) != before


def test_the_key_cannot_be_made_from_the_cookie_alone(settings):
    session = SessionStore()
    session.create()
    before = key_for(session)

    settings.SECRET_KEY = "another one, as a stranger has it"

    assert key_for(session) != before
    assert session.session_key not in before


def test_without_a_session_there_is_no_key():
    assert key_for(SessionStore()) == ""
