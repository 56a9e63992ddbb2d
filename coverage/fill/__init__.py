"""Which samples close the most holes at the least cost."""
