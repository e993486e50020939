"""Later work of escrow."""
