"""Two evaluations of one set: two recognisers, or two versions of one."""
