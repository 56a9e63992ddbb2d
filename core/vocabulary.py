"""Words that the whole project shares: the factors, and what stands for a value that is missing."""

from __future__ import annotations

NOT_STATED = "(not stated)"
#: Joins the accents of a multi-accent speaker in the column `accent`.
ACCENT_SEPARATOR = "|"
NONE = "none"
FACTORS = ("room", "noise", "equipment", "handset")
