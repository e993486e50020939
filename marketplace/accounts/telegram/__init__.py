"""Signing in by Telegram: for accounts that were connected with it, since Telegram tells no address to make one with."""
