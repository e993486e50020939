"""People: who they are, how they sign in, what others may see of them."""
