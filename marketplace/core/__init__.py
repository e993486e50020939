"""The kernel: what every subdomain stands on, and which knows none of them."""
