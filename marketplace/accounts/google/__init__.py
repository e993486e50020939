"""Signing in by Google: OpenID Connect, authorization code with PKCE. allauth drives it; what is believed is decided here."""
