"""A file comes in, is planned, confirmed, written and taken back."""
