"""Who speaks in the demo corpus: four speakers an accent, two women's voices and two men's, no voice in two accents.

A speaker is one of Kokoro's voices or a fixed blend of two. Voices of people who speak an accent's own language carry its
melody; where Kokoro has fewer than four of them, a blend with another voice makes one more. The blends that share a voice
lie within one accent, unless they share it with nobody who speaks it alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Speaker:
    """One speaker.

    Attributes:
        voice: Kokoro's name of the voice.
        other: name of a second voice, blended in.
        share: share of `voice` in the blend, 0 to 1.
        speed: rate of speech, 1 is the voice's own.
    """

    voice: str
    other: str | None = None
    share: float = 1.0
    speed: float = 1.0

    def __str__(self) -> str:
        """Return the voice as the corpus's table names it, e.g. `0.5 ef_dora + 0.5 if_sara`."""
        return self.voice if self.other is None else f"{self.share:g} {self.voice} + {1 - self.share:g} {self.other}"


#: names of the four speakers of an accent, and the gender of their voices
NAMES = {"f1": "female", "m1": "male", "f2": "female", "m2": "male"}

