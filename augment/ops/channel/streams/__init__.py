"""Coded streams whose frames can be lost on the way to the decoder: Opus, LC3, mSBC and AMR-NB by their own libraries, G.711 with Appendix I."""
