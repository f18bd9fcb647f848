"""Projects, who works on them and with which role."""
