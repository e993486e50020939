"""Later work of payments."""
