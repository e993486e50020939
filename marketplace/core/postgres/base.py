"""`ENGINE = "marketplace.core.postgres"`: Django's, but cheaper for short requests: see `compiler` too."""

import select

from django.db.backends.postgresql import base, operations
from psycopg.pq import TransactionStatus


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "marketplace.core.postgres.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Whether the connection stands, without a round trip for each request.

        A server that restarts, fails over or drops an idle client closes the socket, and a closed socket can be read.
        Nothing is to be read from one that stands idle; in all other cases Django's own check asks the server.
        """
        connection = self.connection
        if connection is None or connection.closed:
            return False
        if connection.info.transaction_status != TransactionStatus.IDLE:
            return bool(super().is_usable())
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
        return bool(super().is_usable()) if poll.poll(0) else True
