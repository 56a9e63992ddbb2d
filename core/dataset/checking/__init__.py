"""Is a set whole, and do its loaders read what its manifest says?"""
