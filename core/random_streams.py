"""One random stream for each thing drawn, keyed by what it is for and not by when it is drawn.

The key is (seed, utterance id, condition, replicate, stage). Streams under different keys are independent, so adding a
stage moves no other draw, and any worker draws the same numbers for the same sample.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np


def stream(*key: str | int) -> np.random.Generator:
    """Return the generator that belongs to `key`: Philox, keyed by BLAKE2b of the key's JSON text.

    >>> float(stream(0, "u1", "clean", 0, "noise").random()) == float(stream(0, "u1", "clean", 0, "noise").random())
    True
    """
    digest = hashlib.blake2b(json.dumps(key, ensure_ascii=True).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def content_key(*parts: object) -> str:
    """Return 32 hexadecimal digits that stand for JSON-able `parts`; equal parts give equal keys on any machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
