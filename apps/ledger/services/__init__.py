"""Write what was changed, and put it back."""
