"""What is told about an account: parsed, asked, stored, said and looked for."""

import pytest
from django.utils import translation

from marketplace.games import schema
from marketplace.games.schema import BadSchema

LABEL = {"uz": "Daraja", "ru": "Уровень", "en": "Level"}
RAW = [
    {"code": "level", "kind": "integer", "label": LABEL, "min": 1, "max": 100, "required": True, "filter": True,
     "fact": True, "short": {"uz": "{}-daraja", "ru": "Ур. {}", "en": "Lv {}"}},
    {"code": "rank", "kind": "choice", "label": "Rank", "options": ["Ace", "Ace Master"], "filter": True, "fact": True},
    {"code": "links", "kind": "choices", "label": "Linked to", "options": ["VK", "Google Play"], "filter": True},
    {"code": "clan", "kind": "text", "label": "Clan", "max": 10},
    {"code": "prime", "kind": "boolean", "label": "Prime", "filter": True, "fact": True},
]  # fmt: skip


@pytest.fixture
def parsed():
    return schema.parse(RAW)


def test_values_are_said_in_the_readers_language(parsed):
    values = {"level": 78, "rank": "ace-master", "prime": True}

    said = {}
    for language in ("uz", "ru", "en"):
        with translation.override(language):
            said[language] = parsed.card_facts(values)

    assert said == {"uz": "78-daraja · Ace Master", "ru": "Ур. 78 · Ace Master", "en": "Lv 78 · Ace Master"}


def test_facts_stand_in_the_schemas_order_and_skip_what_does_not_fit(parsed):
    values = {
        "prime": True,
        "links": {"vk": True, "google-play": True},
        "rank": "admiral",
        "level": "78",
        "gone": 1,
    }

    assert [(fact.code, fact.text) for fact in parsed.facts(values)] == [
        ("links", "VK, Google Play"),
        ("prime", "yes"),
    ]


def test_what_was_filled_in_is_collected(parsed):
    cleaned = {"a_level": 5, "a_rank": "", "a_links": ["vk"], "a_clan": "", "a_prime": False}

    assert parsed.collect(cleaned) == {"level": 5, "links": {"vk": True}}
    assert parsed.initial({"level": 5, "links": {"vk": True}, "rank": "admiral"}) == {
        "a_level": 5,
        "a_links": ["vk"],
    }


def test_free_text_is_no_filter(parsed):
    assert set(parsed.filter_fields()) == {"a_level_min", "a_level_max", "a_rank", "a_links", "a_prime"}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        ["level"],
        [{"code": "Level", "kind": "integer", "label": "x"}],
        [{"code": "level", "kind": "float", "label": "x"}],
        [{"code": "level", "kind": "integer"}],
        [{"code": "level", "kind": "integer", "label": {"uz": "x"}}],
        [{"code": "level", "kind": "integer", "label": "x", "min": 5, "max": 1}],
        [{"code": "rank", "kind": "choice", "label": "x"}],
        [{"code": "rank", "kind": "choice", "label": "x", "options": ["VIP", "VIP+"]}],
        [{"code": "level", "kind": "integer", "label": "x", "options": ["a"]}],
        [{"code": "a", "kind": "boolean", "label": "x"}, {"code": "a", "kind": "boolean", "label": "y"}],
    ],
)
def test_what_no_form_could_be_built_from_is_refused(raw):
    with pytest.raises(BadSchema):
        schema.parse(raw)
