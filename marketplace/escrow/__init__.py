"""A trade: the buyer's money is held until the account is theirs, then the seller is paid, less commission."""
