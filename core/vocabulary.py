"""Words that the whole project shares: the factors, and what stands for a value that is missing."""

from __future__ import annotations

NOT_STATED = "(not stated)"
#: Joins the accents of a multi-accent speaker in the column `accent`.
ACCENT_SEPARATOR = "|"
#: Stands between the recordings that one sample draws from, in the columns of assets.
ASSET_SEPARATOR = "|"
NONE = "none"
#: The condition in which every factor is `none`; it is rendered in every study.
CLEAN = "clean"
#: The acoustic factors, in the order of conditions' names.
FACTORS = ("room", "noise", "equipment", "handset")
