"""Everything that changes layouts, folders, and what is published."""
