"""Telling people what has happened: in the page and by e-mail. Knows nobody's business, so that everyone may call it."""
