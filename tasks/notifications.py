"""Later work of notifications."""
