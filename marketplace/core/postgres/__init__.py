"""Django's PostgreSQL backend, made cheaper for short requests (docs/decisions/0005)."""
