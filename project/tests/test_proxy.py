"""What deploy/nginx.conf says of files that Django never sees."""

import re

import pytest
from django.conf import settings

CONF = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()


def block(location):
    return re.search(rf"location {re.escape(location)} {{(.*?)\n        }}", CONF, re.S)[1]


@pytest.mark.parametrize("location", ["/static/", "/media/"])
def test_files_are_sent_with_the_guards_of_pages(location):
    said = block(location)

    assert re.search(r"X-Content-Type-Options nosniff( always)?;", said)
    assert "Strict-Transport-Security $https_only always;" in said
    assert "frame-ancestors 'none'" in said


def test_what_people_have_sent_runs_nowhere():
    assert "default-src 'none'" in block("/media/")
    assert "sandbox" in block("/media/")
    assert "private" not in re.sub(r"#.*", "", CONF)


def test_folders_are_not_listed_and_versions_not_told():
    assert "autoindex" not in CONF
    assert "server_tokens off;" in CONF


def test_the_promise_of_https_lasts_a_year():
    assert int(re.search(r"max-age=(\d+); includeSubDomains", CONF)[1]) >= 365 * 24 * 3600


def test_a_visitor_does_not_choose_the_address_that_we_believe():
    assert "proxy_set_header X-Real-IP $remote_addr;" in CONF
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in CONF


def test_figures_are_not_for_visitors():
    assert "return 404;" in block("/metrics/")
