"""The array convention: float32 mono samples [shape=(samples,)], full scale +-1.0."""

from __future__ import annotations

import numpy as np

Samples = np.ndarray
