"""What is kept: backups of the farm, and archives of its films."""
