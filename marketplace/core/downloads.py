"""Files on their way out, piece by piece on every kind of server."""

from collections.abc import AsyncIterator, Iterator
from typing import cast

from asgiref.sync import sync_to_async
from django.http import FileResponse


class Download(FileResponse):
    """As Django's, and under ASGI too it holds one piece at a time: there Django's own reads the whole file first."""

    block_size = 64 * 1024  # each piece is a way to another thread and back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = cast("Iterator[bytes]", self.streaming_content)
        while (piece := await sync_to_async(_next)(pieces)) is not None:
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
