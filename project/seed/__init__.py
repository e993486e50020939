"""A shop that looks lived in: the same people, offers, trades and money on every machine. For development only.

Everything is made by the product's own services, on a clock that is set back, so that the books fit and the states are
lawful. Running it again finds the work done and changes nothing.
"""
