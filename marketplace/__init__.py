"""What the product does: one Django app per subdomain, each importing only from those below it."""
