"""Data that several files of this folder use."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def toy() -> pd.DataFrame:
    """Two accents of three speakers, clean and noisy; every estimate on it has been computed elsewhere."""
    rows = [
        ("a1", "A", 200, 10, 30), ("a2", "A", 150, 6, 24), ("a3", "A", 250, 14, 38),
        ("b1", "B", 180, 18, 63), ("b2", "B", 220, 26, 88), ("b3", "B", 160, 12, 50),
    ]  # fmt: skip
    return pd.DataFrame([
        {"speaker": s, "accent": a, "condition": c, "errors": e, "words": n}
        for s, a, n, clean, noisy in rows for c, e in (("clean", clean), ("noisy", noisy))
    ])  # fmt: skip


@pytest.fixture
def study():
    """Return a maker of one simulated study: `study(rng, {(accent, condition): wer}, speakers)` -> scored samples."""

    def make(
        rng: np.random.Generator, rates: dict[tuple[str, str], float], speakers: int, utterances: int = 8
    ) -> pd.DataFrame:
        rows = []
        conditions = list(dict.fromkeys(c for _, c in rates))
        for accent in dict.fromkeys(a for a, _ in rates):
            for s in range(speakers):
                own = rng.normal(0, 0.35)
                for c in conditions:
                    level = min(0.95, rates[accent, c] * np.exp(own + rng.normal(0, 0.25) - (0.35**2 + 0.25**2) / 2))
                    errors = rng.binomial(12, level, utterances)
                    rows += [
                        {
                            "sample_id": f"{accent}{s}-{c}-{u}", "utterance_id": f"{accent}{s}-{u}", "speaker": f"{accent}{s}",
                            "accent": accent, "condition": c, "substitutions": int(e), "deletions": 0, "insertions": 0,
                            "hits": 12 - int(e), "words": 12,
                        }
                        for u, e in enumerate(errors)
                    ]  # fmt: skip
        return pd.DataFrame(rows)

    return make


@pytest.fixture
def make_set(tmp_path):
    """Return a maker of dataset folders: `make_set(rows, sounds)`; a row needs accent, speaker, condition, text."""
    import soundfile

    from roomtone.coverage import write_part

    def make(rows: list[dict], name: str = "set", rate: int = 16000):
        folder = tmp_path / name
        (folder / "audio" / "00000").mkdir(parents=True)
        done = []
        for k, row in enumerate(rows):
            sample_id = row.get("sample_id", f"sample{k:04d}")
            samples = row.get("samples", np.random.default_rng(k).integers(-900, 900, 4000 + 160 * k).astype(np.int16))
            path = f"audio/00000/{sample_id}.flac"
            soundfile.write(folder / path, samples, rate, subtype="PCM_16")
            made = {
                "sample_id": sample_id, "utterance_id": f"u-{row['speaker']}-{row['text']}", "replicate": 0, "seed": 0,
                "audio_path": path, "sample_rate_hz": rate, "num_samples": len(samples), "duration_s": len(samples) / rate,
                "words": len(row["text"].split()), "language": "en", "corpus": "made", "speech_origin": "synthetic",
                "room": None, "noise": None, "recipe": "{}",
            }  # fmt: skip
            done.append(made | {key: value for key, value in row.items() if key != "samples"})
        write_part(done, folder / "manifest" / "part-00000.parquet")
        return folder

    return make
