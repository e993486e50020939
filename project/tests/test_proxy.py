"""What deploy/nginx.conf says of files that Django never sees."""

import re
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings

from project.tests import nginx

CONF = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
TLS = ["ssl_protocols", "ssl_ciphers", "ssl_prefer_server_ciphers", "ssl_session_cache", "ssl_session_timeout",
       "ssl_session_tickets"]  # fmt: skip


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


# --- Where TLS ends here ----------------------------------------------------------------------------


def certificate(folder):
    """One of our own, as the operator lays it into deploy/tls/."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")]), datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )


def reader(*, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.MAXIMUM_SUPPORTED, ciphers=""):
    """What a browser can do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = least, most
    if ciphers:
        context.set_ciphers(ciphers)
    return context


@pytest.fixture
def agreed(tmp_path):
    """`agreed(reader(...))`: version and cipher that a reader and our nginx agree on."""
    if nginx.program is None:
        pytest.skip("nginx is not installed")
    certificate(tmp_path)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = f"listen 127.0.0.1:{port} ssl; return 204;"
    server += f"ssl_certificate {tmp_path}/fullchain.pem; ssl_certificate_key {tmp_path}/key.pem;"

    def agree(context):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain) as line,
        ):
            return line.version(), line.cipher()[0]

    with nginx.running(tmp_path, before="\n".join(nginx.line(name) for name in TLS), server=server):
        yield agree


def test_tls_is_of_today(agreed):
    assert agreed(reader())[0] == "TLSv1.3"
    version, cipher = agreed(reader(most=ssl.TLSVersion.TLSv1_2))
    assert version == "TLSv1.2"
    assert re.match(r"ECDHE-.*(GCM|CHACHA20)", cipher)


@pytest.mark.parametrize(
    "ciphers", ["ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"]
)
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(agreed, ciphers):
    with pytest.raises(ssl.SSLError):
        agreed(reader(most=ssl.TLSVersion.TLSv1_2, ciphers=ciphers))


def test_no_older_version_is_named():
    assert nginx.line("ssl_protocols").split()[1:] == ["TLSv1.2", "TLSv1.3;"]
    assert nginx.line("ssl_session_tickets").split()[1] == "off;"
