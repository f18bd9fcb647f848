"""The farm simulator: the real stack against hundreds of nodes in one process."""
