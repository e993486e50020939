"""Files that are deleted with the rows that named them: after the commit, for certain, however the process ends."""

import logging
from collections import defaultdict
from collections.abc import Iterable

from django.core.files.storage import storages

from marketplace.core import jobs

logger = logging.getLogger(__name__)

_AT_ONCE = 200


def discard(files: Iterable[tuple[str, str]]) -> None:
    """Have files deleted, as (name of a storage in `settings.STORAGES`, name in it): by jobs of the caller's transaction."""
    named = defaultdict(list)
    for storage, name in files:
        named[storage].append(name)
    for storage, names in named.items():
        for start in range(0, len(names), _AT_ONCE):
            jobs.enqueue("tasks.core.delete_files", storage=storage, names=names[start : start + _AT_ONCE])


def delete(*, storage: str, names: Iterable[str]) -> None:
    """Delete files; one that is gone already is no error. Raises what the storage raises, and the job tries again."""
    place = storages[storage]
    for name in names:
        place.delete(name)
    logger.info("files deleted from %s", storage)
