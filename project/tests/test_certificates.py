"""What docker-compose.yml promises about who reaches whom, and the certificates by which its parts know each other."""

import re
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from project.tests.data_plane import COMPOSE, PARTS, ROOT, certificate_in, make_certificates

SERVICES = COMPOSE["services"]


# --- What docker-compose.yml says -------------------------------------------------------------------


def volumes(service):
    return dict(one.split(":")[:2] for one in SERVICES[service].get("volumes", []))


def test_each_part_sees_its_own_key_and_only_one_sees_that_of_the_authority():
    keys = {
        service: [name for name in volumes(service) if name.startswith("certificates-")]
        for service in SERVICES
        if service != "certificates"
    }

    assert set(volumes("certificates")) == {f"certificates-{part}" for part in ["authority", *PARTS]}
    assert keys.pop("roles") == keys.pop("rights") == keys.pop("clamav") == []
    assert keys == {part: [f"certificates-{part}"] for part in PARTS if part != "prometheus"}


def test_postgresql_and_redis_have_no_way_out_and_nobody_finds_them_but_who_needs_them():
    reach = {service: set(one.get("networks", [])) for service, one in SERVICES.items()}

    assert COMPOSE["networks"]["data"] == COMPOSE["networks"]["pages"] == {"internal": True}
    assert reach["postgres"] == reach["redis"] == reach["migrate"] == {"data"}
    assert {service for service, networks in reach.items() if "data" in networks} == {
        "postgres", "redis", "migrate", "web", "ws", "worker", "beat",
    }  # fmt: skip
    assert [service for service in SERVICES if SERVICES[service].get("ports")] == ["nginx"]
    assert {SERVICES[service]["network_mode"] for service in ("certificates", "roles", "rights")} == {"none"}


def test_no_password_stands_between_the_parts():
    text = (ROOT / "docker-compose.yml").read_text()

    assert re.findall(r"://[^/\s]*:[^/\s]*@", text) == []
    assert "POSTGRES_PASSWORD:" not in text
    assert SERVICES["postgres"]["environment"]["POSTGRES_HOST_AUTH_METHOD"] == "reject"


def test_nginx_speaks_tls_only_and_checks_who_answers():
    conf = (ROOT / "deploy" / "nginx.conf").read_text()

    assert set(re.findall(r"proxy_pass (\w+)://", conf)) == {"https"}
    assert "proxy_ssl_verify on;" in conf
    assert "proxy_ssl_trusted_certificate /certificates/ca.pem;" in conf


# --- Certificates -----------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@needs_openssl
def test_a_certificate_is_of_today_short_lived_and_for_one_use(tmp_path):
    assert make_certificates(tmp_path) == ["made the authority", *(f"made {part}" for part in PARTS)]

    authority = certificate_in(tmp_path / "authority" / "ca.pem")
    for part in PARTS:
        made = certificate_in(tmp_path / part / "cert.pem")
        made.verify_directly_issued_by(authority)
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = set(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        is_server = ExtendedKeyUsageOID.SERVER_AUTH in uses

        assert isinstance(made.public_key(), EllipticCurvePublicKey)
        assert made.public_key().curve.name == "secp256r1"
        assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 90
        assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == part
        assert names.get_values_for_type(x509.DNSName) == [part]
        assert is_server == (part in {"postgres", "redis", "web", "ws"})
        assert (ExtendedKeyUsageOID.CLIENT_AUTH in uses) == (part != "postgres")
        assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


@needs_openssl
def test_keys_are_for_one_user_only(tmp_path):
    make_certificates(tmp_path)

    for key in tmp_path.glob("*/key.pem"):
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.parent.stat().st_mode & 0o777 == 0o700


@needs_openssl
def test_only_what_ends_within_a_month_is_made_again(tmp_path):
    make_certificates(tmp_path, CERTIFICATE_DAYS="29")
    before = {part: certificate_in(tmp_path / part / "cert.pem").serial_number for part in PARTS}

    assert make_certificates(tmp_path) == [f"made {part}" for part in PARTS]
    after = {part: certificate_in(tmp_path / part / "cert.pem").serial_number for part in PARTS}
    assert all(before[part] != after[part] for part in PARTS)
    assert make_certificates(tmp_path) == []


@needs_openssl
def test_what_another_authority_signed_or_lacks_a_name_is_made_again(tmp_path):
    make_certificates(tmp_path)

    assert make_certificates(tmp_path, "web=0:pages.internal") == ["made web"]
    for file in (tmp_path / "authority").iterdir():
        file.unlink()
    assert make_certificates(tmp_path) == ["made the authority", *(f"made {part}" for part in PARTS)]
