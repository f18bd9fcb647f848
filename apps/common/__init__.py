"""Base model, human codes, state machines and their event rows, the database clock."""
