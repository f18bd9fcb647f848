"""Everything that changes a recipe or a run of one."""
