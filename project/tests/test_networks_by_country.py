"""What two lists of networks agree on, which is all that the shipped one says."""

import importlib.util

import pytest
from django.conf import settings

SPEC = importlib.util.spec_from_file_location(
    "networks_by_country", settings.BASE_DIR / "scripts" / "networks_by_country.py"
)
networks_by_country = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(networks_by_country)


@pytest.fixture
def agreed(tmp_path):
    def of(ours, others):
        files = []
        for name, lines in (("ours", ours), ("others", others)):
            (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
            files.append(networks_by_country._list([tmp_path / name]))
        return [f"{part.first}-{part.last} {part.country}" for part in networks_by_country._agreed(*files)]

    return of


@pytest.mark.parametrize(
    ("ours", "others", "both"),
    [
        (["1.0.0.0,1.0.3.255,UZ"], ["1.0.0.0,1.0.3.255,UZ"], ["1.0.0.0-1.0.3.255 UZ"]),
        (["1.0.0.0,1.0.3.255,UZ"], ["1.0.0.0,1.0.3.255,CZ"], []),
        (["1.0.0.0,1.0.3.255,UZ"], ["1.0.4.0,1.0.7.255,UZ"], []),
        (
            ["1.0.0.0,1.0.7.255,UZ"],
            ["1.0.0.0,1.0.0.255,UZ", "1.0.1.0,1.0.1.255,CZ", "1.0.2.0,1.0.9.255,UZ"],
            ["1.0.0.0-1.0.0.255 UZ", "1.0.2.0-1.0.7.255 UZ"],
        ),
        (
            ["1.0.0.0,1.0.1.255,UZ", "1.0.2.0,1.0.3.255,KZ"],
            ["0.0.0.0,1.0.2.255,UZ", "1.0.3.0,255.255.255.255,KZ"],
            ["1.0.0.0-1.0.1.255 UZ", "1.0.3.0-1.0.3.255 KZ"],
        ),
        (["# a remark", "16777216,16777471,AU"], ["1.0.0.0,1.0.0.255,AU"], ["1.0.0.0-1.0.0.255 AU"]),
        (["1.0.0.0,1.0.0.255,??"], ["1.0.0.0,1.0.0.255,??"], []),
        (
            ["9.0.0.0,9.0.0.255,US", "2a00::,2a00::ffff,UZ"],
            ["2a00::8,2a0f::,UZ", "8.0.0.0,9.255.255.255,US"],
            ["9.0.0.0-9.0.0.255 US", "2a00::8-2a00::ffff UZ"],
        ),
    ],
    ids=["the same", "another", "beside", "cut", "two", "numbers and remarks", "nobody's", "both kinds"],
)
def test_only_what_both_say_is_kept(agreed, ours, others, both):
    assert agreed(ours, others) == agreed(others, ours) == both
