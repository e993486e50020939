"""Moderators' screens: the queue of listings that wait for a check."""
