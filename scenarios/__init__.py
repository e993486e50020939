"""Every payment provider's protocol, played end to end over real HTTP against a running server.

A module per provider, its scenarios plain functions that know nothing but the wire; `runner` finds and runs them.
"""
