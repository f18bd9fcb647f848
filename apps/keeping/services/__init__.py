"""Everything that changes archives."""
