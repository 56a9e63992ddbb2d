"""Which slices of a set a recogniser fails, with error control, and certificates of single claims."""
