"""English as people write it: how figures are spoken, contractions, spelling variants, abbreviations; and the normaliser of them."""
