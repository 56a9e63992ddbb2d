"""All that is done to samples: one closed table of ops (`table`), a file an idea."""
