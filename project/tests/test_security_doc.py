"""docs/security.md says of each requirement of ASVS 5.0, levels 1 and 2, how it is met; here it is kept from telling stories."""

import ast
import re
from collections import Counter
from functools import cache

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PAGE = (ROOT / "docs" / "security.md").read_text()
LAW, NOT_OURS = PAGE.split("## Part 2: ")[1].split("## Part 3: ")
ROWS = [
    (number, how, test)
    for number, how, test in re.findall(r"^\| ([\d.]+) \| (.+) \| (.+) \|$", LAW, re.MULTILINE)
]

# The requirements of levels 1 and 2, by section.
SECTIONS = """
    1.1:1,2 1.2:1,2,3,4,5,6,7,8,9 1.3:1,2,3,4,5,6,7,8,9,10,11 1.4:1,2,3 1.5:1,2 2.1:1,2,3 2.2:1,2,3
    2.3:1,2,3,4 2.4:1 3.2:1,2 3.3:1,2,3,4 3.4:1,2,3,4,5,6 3.5:1,2,3,4,5 3.7:1,2 4.1:1,2,3 4.2:1
    4.3:1,2 4.4:1,2,3,4 5.1:1 5.2:1,2,3 5.3:1,2 5.4:1,2,3 6.1:1,2,3 6.2:1,2,3,4,5,6,7,8,9,10,11,12
    6.3:1,2,3,4 6.4:1,2,3,4 6.5:1,2,3,4,5 6.6:1,2,3 6.8:1,2,3,4 7.1:1,2,3 7.2:1,2,3,4 7.3:1,2
    7.4:1,2,3,4,5 7.5:1,2 7.6:1,2 8.1:1,2 8.2:1,2,3 8.3:1 8.4:1 9.1:1,2,3 9.2:1,2,3,4 10.1:1,2
    10.2:1,2 10.3:1,2,3,4 10.4:1,2,3,4,5,6,7,8,9,10,11 10.5:1,2,3,4,5 10.6:1,2 10.7:1,2,3 11.1:1,2
    11.2:1,2,3 11.3:1,2,3 11.4:1,2,3,4 11.5:1 11.6:1 12.1:1,2,3 12.2:1,2 12.3:1,2,3,4 13.1:1
    13.2:1,2,3,4,5 13.3:1,2 13.4:1,2,3,4,5 14.1:1,2 14.2:1,2,3,4 14.3:1,2,3 15.1:1,2,3 15.2:1,2,3
    15.3:1,2,3,4,5,6,7 16.1:1 16.2:1,2,3,4,5 16.3:1,2,3,4 16.4:1,2,3 16.5:1,2,3 17.1:1 17.2:1,2,3,4
    17.3:1,2
"""


def numbers_of_the_standard() -> list[str]:
    return [
        f"{section}.{one}"
        for section, ones in (line.split(":") for line in SECTIONS.split())
        for one in ones.split(",")
    ]


@cache
def functions(path) -> set[str]:
    return {
        one.name
        for one in ast.walk(ast.parse(path.read_text()))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_requirement_stands_on_the_page_once():
    told = Counter([row[0] for row in ROWS])
    told.update(
        re.findall(r"\d+\.\d+\.\d+", " ".join(re.findall(r"^\| (\d[\d., ]+) \|", NOT_OURS, re.MULTILINE)))
    )

    assert len(numbers_of_the_standard()) == 253
    assert told == Counter(numbers_of_the_standard())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_test_that_is_named_exists(row):
    _number, _how, test = row
    if test == "—":
        return
    app, file, name = re.fullmatch(r"`(\w+)/(test_\w+\.py)::(test_\w+)`", test).groups()
    folder = {"project": "project/tests", "e2e": "e2e"}.get(app, f"marketplace/{app}/tests")

    assert name in functions(ROOT / folder / file)


def test_every_file_that_is_named_exists():
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|html|txt|js|json|conf|yml))`", PAGE)
    linked = re.findall(r"\]\((\.\./[\w./-]+|[\w./-]+)(?:#[\w-]+)?\)", PAGE)

    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [path for path in linked if not (ROOT / "docs" / path).resolve().exists()] == []
