"""The country of a network address, asked offline; and what it is called."""

import ipaddress
from itertools import pairwise

import pytest
from django.utils import translation

from marketplace.core import countries
from marketplace.core.countries import Networks, Part, country_of, name_of, place_of


def part(first, last, country):
    return Part(ipaddress.ip_address(first), ipaddress.ip_address(last), country)


def asked(networks, *addresses):
    return [networks.country_of(ipaddress.ip_address(address)) for address in addresses]


# --- The list that is shipped -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("91.203.174.12", "UZ"),
        ("213.230.64.1", "UZ"),  # Uztelecom
        ("84.54.64.1", "UZ"),
        ("37.110.208.1", "UZ"),  # Ucell
        ("188.113.200.1", "UZ"),
        ("94.158.52.1", "UZ"),
        ("95.56.1.1", "KZ"),  # Kazakhtelecom
        ("2.72.0.1", "KZ"),  # Kcell
        ("5.76.1.1", "KZ"),
        ("46.34.192.1", "KZ"),
        ("77.88.8.8", "RU"),  # Yandex
        ("8.8.8.8", "US"),  # Google
        ("2a02:f10::1", "UZ"),
        ("2a05:45c7:ffff::1", "UZ"),
        ("2a01:68c0::7", "KZ"),
        ("2001:4860:4860::8888", "US"),
        ("::ffff:91.203.174.12", "UZ"),  # what a socket for both kinds calls it
    ],
)
def test_known_networks_are_of_their_country(address, country):
    assert country_of(address) == country


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "192.168.1.7", "172.18.0.5", "127.0.0.1", "100.64.3.4", "169.254.1.1", "0.0.0.1", "255.255.255.255",
        "224.0.0.1", "240.0.0.1", "203.0.113.7", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00::1", "2001:db8::1", "ff02::1",
        "::ffff:10.0.0.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_of_none(address):
    assert country_of(address) == ""
    assert place_of(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "192.168.1.7", "172.18.0.5", "127.0.0.1", "100.64.3.4", "203.0.113.7", "240.0.0.1", "::1", "fe80::1",
        "fd00::1", "2001:db8::1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_even_where_a_list_says_otherwise(address, monkeypatch):
    ends = ("0.0.0.0", "255.255.255.255"), ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")  # noqa: S104
    whole = Networks.of(part(*pair, "UZ") for pair in ends)
    monkeypatch.setattr(countries, "known", lambda: whole)

    assert country_of("8.8.8.8") == country_of("2001:4860::1") == "UZ"
    assert country_of(address) == ""


@pytest.mark.parametrize("address", ["", None, "UZ", "91.203.174", "91.203.174.12.1", "<b>", "1" * 400, " "])
def test_what_is_no_address_is_of_none(address):
    assert country_of(address) == ""


def test_the_file_is_small_and_only_looked_into():
    known = countries.known()

    assert countries.FILE.stat().st_size < 2_000_000
    assert isinstance(known.columns[4].starts, memoryview)
    assert known.columns[4].starts.readonly
    assert known is countries.known()


def test_every_piece_of_the_list_begins_after_the_one_before_and_neighbours_differ():
    for column in countries.known().columns.values():
        data, width = bytes(column.starts), column.width
        starts = [data[at : at + width] for at in range(0, len(data), width)]

        assert len(starts) == len(column.owners) > 100_000
        assert all(one < other for one, other in pairwise(starts))
        assert all(one != other for one, other in pairwise(column.owners))


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_every_country_of_the_list_has_a_name_in_every_language(language):
    codes = [code for code in countries.known().codes if code != countries.NOBODY]

    with translation.override(language):
        names = {name_of(code) for code in codes}

    assert len(names) == len(codes) > 230
    assert names.isdisjoint(codes)
    assert not [name for name in names if "‘" in name]


# --- A list of our own ------------------------------------------------------------------------------


@pytest.fixture
def networks():
    """Two neighbours, one of them in two parts, then a gap; written and read again."""
    made = Networks.of(
        [
            part("2a00:1::", "2a00:1:0:ffff:ffff:ffff:ffff:ffff", "KZ"),
            part("5.0.2.0", "5.0.2.255", "UZ"),
            part("5.0.0.0", "5.0.1.255", "UZ"),
            part("5.0.3.0", "5.0.3.255", "KZ"),
            part("5.0.9.0", "5.0.9.255", "UZ"),
        ]
    )
    return Networks.read(made.written())


def test_the_first_and_the_last_address_of_a_range_are_in_it(networks):
    assert asked(networks, "5.0.0.0", "5.0.1.255", "5.0.2.0", "5.0.2.255") == ["UZ"] * 4
    assert asked(networks, "5.0.3.0", "5.0.3.255") == ["KZ"] * 2
    assert asked(networks, "2a00:1::", "2a00:1:0:ffff:ffff:ffff:ffff:ffff") == ["KZ"] * 2


def test_gaps_are_of_none(networks):
    assert (
        asked(networks, "0.0.0.1", "4.255.255.255", "5.0.4.0", "5.0.8.255", "5.0.10.0", "255.255.255.255")
        == [""] * 6
    )
    assert asked(networks, "::", "2a00:0:ffff::", "2a00:1:1::", "ffff::") == [""] * 4


def test_neighbours_of_one_country_are_one_piece(networks):
    assert len(networks.columns[4].owners) == 6  # none, UZ, KZ, none, UZ, none
    assert len(networks.columns[6].owners) == 3


def test_a_network_of_several_countries_is_of_none():
    networks = Networks.of([part("5.0.0.0", "5.0.1.127", "UZ"), part("5.0.1.128", "5.0.2.255", "KZ")])

    assert asked(networks, "5.0.0.255", "5.0.1.1", "5.0.1.200", "5.0.2.0") == ["UZ", "", "", "KZ"]


def test_a_network_cut_in_two_of_one_country_is_of_that_country():
    networks = Networks.of([part("5.0.0.128", "5.0.0.255", "UZ"), part("5.0.0.0", "5.0.0.127", "UZ")])

    assert asked(networks, "5.0.0.1", "5.0.0.200") == ["UZ", "UZ"]


def test_the_very_last_addresses_are_found():
    networks = Networks.of([part("255.0.0.0", "255.255.255.255", "UZ")])

    assert asked(networks, "254.255.255.255", "255.0.0.0", "255.255.255.255") == ["", "UZ", "UZ"]


@pytest.mark.parametrize(
    "parts",
    [
        [part("5.0.0.0", "5.0.3.255", "UZ"), part("5.0.3.0", "5.0.4.255", "KZ")],
        [part("5.0.3.0", "5.0.0.255", "UZ")],
    ],
)
def test_a_list_that_contradicts_itself_is_refused(parts):
    with pytest.raises(ValueError, match="out of order"):
        Networks.of(parts)


@pytest.mark.parametrize(
    "spoil", [lambda data: b"X" + data[1:], lambda data: data[:-1], lambda data: data + b"\0"]
)
def test_a_broken_file_is_refused(networks, spoil):
    with pytest.raises(ValueError, match="list of networks by country"):
        Networks.read(spoil(networks.written()))


# --- Its name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "uz", "kz", "us"),
    [
        ("uz", "Oʻzbekiston", "Qozogʻiston", "Amerika Qoʻshma Shtatlari"),
        ("ru", "Узбекистан", "Казахстан", "Соединенные Штаты"),
        ("en", "Uzbekistan", "Kazakhstan", "United States"),
    ],
)
def test_countries_are_named_in_the_readers_language(language, uz, kz, us):
    with translation.override(language):
        assert [name_of(code) for code in ("UZ", "KZ", "US")] == [uz, kz, us]
        assert place_of("91.203.174.12") == f"{uz} · 91.203.174.12"


def test_a_code_without_a_name_is_its_own():
    with translation.override("ru"):
        assert name_of("Q1") == "Q1"


def test_without_a_language_it_is_english():
    with translation.override(None):
        assert name_of("KZ") == "Kazakhstan"
