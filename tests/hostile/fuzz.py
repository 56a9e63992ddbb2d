"""Coverage-guided fuzzing of the readers of strangers' files, apart from the tests: needs `pip install atheris`.

    python -P tests/hostile/fuzz.py TARGET FOLDER [libFuzzer options, e.g. -max_total_time=600]

TARGET is one of TARGETS. FOLDER keeps the corpus, and one file a fault: anything that is neither a value nor a `RoomtoneError`. What is found
goes into `FINDS` of `test_fuzz.py`, which tries it first every time.
"""

import io
import random
import sys
import tempfile
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["roomtone", "yaml", "json"]):
    import pandas as pd

    from roomtone.augment.scenarios.presets import load_preset, parse_preset
    from roomtone.core.audio.reading import inspect
    from roomtone.core.dataset.checking.reconcile import read_parts
    from roomtone.core.dataset.manifest import read_manifest
    from roomtone.core.dataset.storage import open_storage
    from roomtone.core.errors import RoomtoneError
    from roomtone.fairness.scoring.hypotheses import match_hypotheses, read_hypotheses
    from roomtone.fairness.slices.certificate import read_certificate

sys.path.insert(0, str(Path(__file__).parent))
from test_fuzz import FINDS, YAML_SEEDS, certificate_seeds, mutated, part_of_a_manifest, sound


def manifest(path):
    """Read a set of one part as every command and as `verify` does."""
    home = path.parent / "set"
    part = home / "manifest" / "part-00000.parquet"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(path.read_bytes())
    read_parts(open_storage(str(home)))
    read_manifest(home)


def preset(path):
    (path.parent / "noise").mkdir(exist_ok=True)
    (path.parent / "noise" / "p.yaml").write_bytes(path.read_bytes())
    parse_preset("noise", "p", load_preset("noise", "p", (path.parent,)))


def hypotheses(path):
    match_hypotheses(pd.Series(["a", "b"]), read_hypotheses(path), allow_missing=True)


def _tables():
    frame = pd.DataFrame({"sample_id": ["a", "b"], "hypothesis": ["one two", "drei"]})
    sink = io.BytesIO()
    frame.to_parquet(sink)
    lines = frame.to_json(orient="records", lines=True).encode()
    return {"jsonl": lines, "csv": frame.to_csv(index=False).encode(), "parquet": sink.getvalue()}


TABLES = _tables()
#: Target -> its reader, the names a file may have, and good files.
TARGETS = {
    "manifest": (manifest, ["part.parquet"], [part_of_a_manifest()]),
    "presets": (preset, ["p.yaml"], YAML_SEEDS),
    "certificate": (read_certificate, ["c.json"], certificate_seeds()),
    "hypotheses": (hypotheses, [f"hypotheses.{kind}" for kind in TABLES], [*TABLES.values(), *FINDS["hypotheses.jsonl"]]),
    "audio": (inspect, ["sound.wav"], [*(sound(f"x.{kind}") for kind in ("wav", "flac", "ogg", "mp3")), *FINDS["sound.wav"]]),
}  # fmt: skip


def main():
    """Fuzz one target until its time is over."""
    read, names, seeds = TARGETS[sys.argv[1]]
    home = Path(sys.argv[2]).absolute()
    corpus, faults = home / "corpus", home / "faults"
    corpus.mkdir(parents=True, exist_ok=True)
    faults.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    work = Path(tempfile.mkdtemp(prefix="fuzz-"))

    def once(data):
        for name in names:
            (work / name).write_bytes(data)
            try:
                read(work / name)
            except RoomtoneError:
                pass
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                kept = faults / f"{type(error).__name__}-{Path(place.filename).stem}-{place.lineno}-{name}"
                if not kept.exists():
                    kept.write_bytes(data)
                    print(f"FAULT {kept.name}: {error!r:.300}", file=sys.stderr, flush=True)

    def mutate(data, most, seed):
        rng = random.Random(seed)
        return mutated(rng, data)[:most] if rng.random() < 0.5 else atheris.Mutate(data, most)

    options = ["-max_len=20000", "-timeout=60", "-rss_limit_mb=4096", f"-artifact_prefix={home}/", *sys.argv[3:]]
    atheris.Setup([sys.argv[0], str(corpus), *options], once, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
