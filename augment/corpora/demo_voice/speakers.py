"""Who speaks in the demo corpus: four speakers an accent, two men's voices and two women's, no voice in two accents.

A speaker is one of Kokoro's voices or a fixed blend of two of them, which is a third voice. The L1 accents have the voices of
people who speak that language, for its melody; where Kokoro has fewer than four, blends make up the number. Four voices that
speak alone in one accent also lie in a blend of another: `bm_daniel`, `bm_fable`, `bm_george`, `am_fenrir`.
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


def _one(voice: str, speed: float = 1.0) -> Speaker:
    return Speaker(voice, speed=speed)


#: names of the four speakers of an accent, and the gender of their voices
NAMES = {"m1": "male", "f1": "female", "m2": "male", "f2": "female"}

#: accent label -> its speakers, in the order of `NAMES`. Speeds bring slow voices nearer to the others.
SPEAKERS: dict[str, tuple[Speaker, ...]] = {
    "american": (_one("am_puck", 1.05), _one("af_heart", 1.05), _one("am_michael", 1.1), _one("af_sarah", 1.15)),
    "new_york": (_one("am_onyx", 1.1), _one("af_bella", 1.1), _one("am_fenrir"), _one("af_nova", 1.15)),
    "british": (_one("bm_george", 1.2), _one("bf_emma", 1.1), _one("bm_daniel", 1.1), _one("bf_isabella", 1.1)),
    "scottish": (_one("bm_fable", 1.15), _one("bf_lily", 1.1), _one("am_liam", 1.05), _one("af_river", 1.05)),
    "lancashire": (_one("bm_lewis", 1.2), _one("bf_alice", 1.1), _one("am_eric", 1.05), _one("af_jessica", 1.05)),
    "west_midlands": (
        Speaker("bm_george", "am_fenrir", 0.5, 1.15),
        _one("af_aoede", 1.05),
        Speaker("bm_fable", "zm_yunxi", 0.5, 1.15),
        _one("af_alloy", 1.15),
    ),
    "caribbean": (_one("am_adam", 1.1), _one("af_kore", 1.05), _one("am_echo", 1.15), _one("af_sky", 1.1)),
    "spanish_l1": (_one("em_alex"), _one("ef_dora"), _one("em_santa"), Speaker("ef_dora", "af_nicole", 0.65, 1.1)),
    "french_l1": (
        Speaker("ff_siwis", "bm_daniel", 0.4, 1.1),
        _one("ff_siwis", 1.05),
        Speaker("ff_siwis", "am_santa", 0.25, 1.1),
        Speaker("ff_siwis", "zf_xiaobei", 0.5, 1.15),
    ),
    "hindi_l1": (_one("hm_omega", 1.2), _one("hf_alpha", 1.2), _one("hm_psi", 1.2), _one("hf_beta", 1.15)),
    "italian_l1": (
        _one("im_nicola", 1.05),
        _one("if_sara", 1.05),
        Speaker("im_nicola", "jm_kumo", 0.6, 1.1),
        Speaker("if_sara", "jf_alpha", 0.5, 1.1),
    ),
    "chinese_l1": (
        _one("zm_yunjian", 1.15),
        _one("zf_xiaoni", 1.2),
        _one("zm_yunyang", 1.15),
        _one("zf_xiaoxiao", 1.15),
    ),
}
