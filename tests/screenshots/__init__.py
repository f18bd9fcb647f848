"""Pictures of every page, for the documentation and for whoever looks after how it looks."""
