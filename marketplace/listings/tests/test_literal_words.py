"""Words that stand in a statement itself."""

import pytest

from marketplace.listings.models import Listing

pytestmark = pytest.mark.django_db


def test_the_word_is_no_parameter():
    sql, parameters = Listing.objects.filter(status__literally="active").only("pk").query.sql_with_params()

    assert "= 'active'" in sql
    assert "active" not in parameters


@pytest.mark.parametrize("word", ["it's", "a'; DROP TABLE x; --", "Active", "%s", "a b"])
def test_what_is_not_a_word_of_ours_is_refused(word):
    with pytest.raises(ValueError, match="not a word"):
        list(Listing.objects.filter(status__literally=word))
