"""Who speaks in the demo corpus: eight speakers an accent, four men's voices and four women's, no voice or blend in two accents.

A speaker is one of Kokoro's voices or a fixed blend of two of them, which is a third voice. Kokoro has 54 voices, so that half
of the speakers are blends, whose parts lie in blends of other accents too: speakers are less independent than people are. The
L1 accents have the voices of people who speak that language, for its melody, or blends with them. Blends were written down
before anything was recognised; none was exchanged for what a recogniser made of it.
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


def _blend(voice: str, other: str, share: float = 0.5, speed: float = 1.1) -> Speaker:
    return Speaker(voice, other, share, speed)


#: names of the eight speakers of an accent, and the gender of their voices
NAMES = {
    "m1": "male", "f1": "female", "m2": "male", "f2": "female", "m3": "male", "f3": "female", "m4": "male", "f4": "female",
}  # fmt: skip

#: accent label -> its speakers, in the order of `NAMES`. Speeds bring slow voices nearer to the others.
SPEAKERS: dict[str, tuple[Speaker, ...]] = {
    "american": (
        _one("am_puck", 1.05), _one("af_heart", 1.05), _one("am_michael", 1.1), _one("af_sarah", 1.15),
        _blend("am_puck", "am_eric"), _blend("af_heart", "af_river"), _blend("am_michael", "am_liam"), _blend("af_sarah", "af_jessica"),
    ),
    "new_york": (
        _one("am_onyx", 1.1), _one("af_bella", 1.1), _one("am_fenrir"), _one("af_nova", 1.15),
        _blend("am_onyx", "am_adam"), _blend("af_bella", "af_kore"), _blend("am_fenrir", "am_echo"), _blend("af_nova", "af_aoede"),
    ),
    "british": (
        _one("bm_george", 1.2), _one("bf_emma", 1.1), _one("bm_daniel", 1.1), _one("bf_isabella", 1.1),
        _blend("bm_george", "bm_lewis"), _blend("bf_emma", "bf_lily"), _blend("bm_daniel", "bm_fable"), _blend("bf_isabella", "bf_alice"),
    ),
    "scottish": (
        _one("bm_fable", 1.15), _one("bf_lily", 1.1), _one("am_liam", 1.05), _one("af_river", 1.05),
        _blend("bm_fable", "bm_lewis"), _blend("bf_lily", "bf_isabella"), _blend("am_liam", "bm_george"), _blend("af_river", "bf_emma"),
    ),
    "lancashire": (
        _one("bm_lewis", 1.2), _one("bf_alice", 1.1), _one("am_eric", 1.05), _one("af_jessica", 1.05),
        _blend("bm_lewis", "bm_daniel"), _blend("bf_alice", "bf_emma"), _blend("am_eric", "bm_fable"), _blend("af_jessica", "bf_lily"),
    ),
    "west_midlands": (
        _blend("bm_george", "am_fenrir", 0.5, 1.15), _one("af_aoede", 1.05), _blend("bm_fable", "zm_yunxi", 0.5, 1.15), _one("af_alloy", 1.15),
        _blend("bm_george", "bm_fable"), _blend("af_aoede", "bf_alice"), _blend("am_fenrir", "bm_lewis"), _blend("af_alloy", "bf_isabella"),
    ),
    "caribbean": (
        _one("am_adam", 1.1), _one("af_kore", 1.05), _one("am_echo", 1.15), _one("af_sky", 1.1),
        _blend("am_adam", "am_michael"), _blend("af_kore", "af_heart"), _blend("am_echo", "am_puck"), _blend("af_sky", "af_bella"),
    ),
    "spanish_l1": (
        _one("em_alex"), _one("ef_dora"), _one("em_santa"), _blend("ef_dora", "af_nicole", 0.65),
        _blend("em_alex", "am_michael", 0.6), _blend("ef_dora", "pf_dora"), _blend("em_santa", "pm_alex", 0.6), _blend("ef_dora", "bf_emma", 0.65),
    ),
    "french_l1": (
        _blend("ff_siwis", "bm_daniel", 0.4), _one("ff_siwis", 1.05), _blend("ff_siwis", "am_santa", 0.25), _blend("ff_siwis", "zf_xiaobei", 0.5, 1.15),
        _blend("ff_siwis", "bm_lewis", 0.4), _blend("ff_siwis", "bf_emma"), _blend("ff_siwis", "am_michael", 0.35), _blend("ff_siwis", "af_heart"),
    ),
    "hindi_l1": (
        _one("hm_omega", 1.2), _one("hf_alpha", 1.2), _one("hm_psi", 1.2), _one("hf_beta", 1.15),
        _blend("hm_omega", "hm_psi", 0.5, 1.2), _blend("hf_alpha", "hf_beta", 0.5, 1.2), _blend("hm_omega", "bm_george", 0.65, 1.2),
        _blend("hf_alpha", "bf_emma", 0.65, 1.2),
    ),
    "italian_l1": (
        _one("im_nicola", 1.05), _one("if_sara", 1.05), _blend("im_nicola", "jm_kumo", 0.6), _blend("if_sara", "jf_alpha"),
        _blend("im_nicola", "bm_daniel", 0.6), _blend("if_sara", "bf_emma", 0.6), _blend("im_nicola", "am_fenrir", 0.6), _blend("if_sara", "af_bella", 0.6),
    ),
    "chinese_l1": (
        _one("zm_yunjian", 1.15), _one("zf_xiaoni", 1.2), _one("zm_yunyang", 1.15), _one("zf_xiaoxiao", 1.15),
        _blend("zm_yunjian", "zm_yunyang", 0.5, 1.15), _blend("zf_xiaoni", "zf_xiaoxiao", 0.5, 1.15), _blend("zm_yunyang", "am_liam", 0.6, 1.15),
        _blend("zf_xiaoxiao", "af_heart", 0.6, 1.15),
    ),
}  # fmt: skip
