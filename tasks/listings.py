"""Later work of listings."""
