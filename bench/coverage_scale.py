"""The coverage matrix of a 100-million-row manifest beside one hand-written DuckDB query that counts the same.

    python -P bench/coverage_scale.py [--rows 100000000] [--dir /tmp/scale] [--keep]

Makes the manifest (30 accents x 200 conditions x 5,000 speakers, every utterance in every condition), then runs both in
fresh processes, so that memory is each one's own peak, and prints time, memory and whether the counts agree.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ACCENTS, CONDITIONS, SPEAKERS = 30, 200, 5000
PART_ROWS = 1_000_000


def make(folder: Path, rows: int) -> None:
    """Write the manifest in parts of a million rows; each part holds whole utterances, as shards do."""
    import duckdb

    (folder / "manifest").mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        for part in range(-(-rows // PART_ROWS)):
            target = folder / "manifest" / f"part-{part:05d}.parquet"
            if target.exists():
                continue
            first, last = part * PART_ROWS, min(rows, (part + 1) * PART_ROWS)
            connection.execute(_ROWS.format(first=first, last=last, target=target, c=CONDITIONS, s=SPEAKERS, a=ACCENTS))


_ROWS = """COPY (
    SELECT lower(hex(hash(i))) AS sample_id, 'utt-' || (i // {c}) AS utterance_id, 0::INTEGER AS replicate, 0::BIGINT AS seed,
           'audio/' || (i // 1000000) || '/' || lower(hex(hash(i))) || '.flac' AS audio_path, 16000::INTEGER AS sample_rate_hz,
           (32000 + hash(i // {c}) % 64000)::BIGINT AS num_samples, 2 + (hash(i // {c}) % 64000) / 16000.0 AS duration_s,
           (4 + hash(i // {c}) % 12)::INTEGER AS words, 'spk-' || ((i // {c}) % {s}) AS speaker,
           'accent-' || ((i // {c}) % {s}) % {a} AS accent, 'condition-' || (i % {c}) AS condition,
           CASE WHEN i % {c} = 0 THEN NULL ELSE 'noise-' || hash(i) % 300 END AS noise_asset,
           CASE WHEN i % 4 = 0 THEN NULL ELSE 'room-' || (i % {c}) || '-' || hash(i + 7) % 32 END AS room_asset,
           CAST(NULL AS VARCHAR) AS equipment_asset
    FROM range({first}, {last}) t(i)
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"""


def by_hand(folder: Path, *, light: bool) -> dict[str, object]:
    """Count with one query: all six counts, or (light) renders, speakers, minutes and words only."""
    import duckdb

    heavy = """count(DISTINCT utterance_id) AS utterances, count(DISTINCT noise_asset) + count(DISTINCT room_asset)
               + count(DISTINCT equipment_asset) AS assets,"""
    with duckdb.connect() as connection:
        connection.execute(f"SET temp_directory='{folder / 'spill'}'")
        cells = connection.execute(
            f"""SELECT accent, condition, count(*) AS renders, {"" if light else heavy} count(DISTINCT speaker) AS speakers,
                       sum(duration_s) / 60 AS minutes, sum(words) AS words
                FROM read_parquet('{folder}/manifest/part-*.parquet') GROUP BY ALL"""
        ).df()
    return _sums(cells)


def by_matrix(folder: Path) -> dict[str, object]:
    """Count with CoverageMatrix."""
    from roomtone.coverage import CoverageMatrix

    return _sums(CoverageMatrix(folder, axes=("accent", "condition")).to_frame())


def _sums(cells) -> dict[str, object]:  # type: ignore[no-untyped-def]
    units = [u for u in ("renders", "utterances", "speakers", "assets", "words", "minutes") if u in cells]
    return {"cells": len(cells), **{unit: round(float(cells[unit].sum()), 3) for unit in units}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--dir", type=Path, default=Path("/tmp/roomtone-scale"))
    parser.add_argument("--keep", action="store_true", help="leave the manifest where it is")
    parser.add_argument("--only", choices=["hand", "light", "matrix"])
    options = parser.parse_args()
    if options.only:
        start = time.perf_counter()
        result = (
            by_matrix(options.dir) if options.only == "matrix" else by_hand(options.dir, light=options.only == "light")
        )
        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent = {"seconds": time.perf_counter() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime}
        print(json.dumps({**spent, "peak_gb": usage.ru_maxrss / 2**20, "counts": result}))
        return
    start = time.perf_counter()
    make(options.dir, options.rows)
    print(f"{options.rows:,} rows written in {time.perf_counter() - start:.0f} s")
    runs = {}
    for name in ("hand", "matrix", "light"):
        command = [sys.executable, "-P", __file__, "--only", name, "--dir", str(options.dir)]
        runs[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        one = runs[name]
        times = f"{one['seconds']:8.1f} s {one['cpu_seconds']:8.1f} s CPU"
        print(f"{name:8}{times}  {one['peak_gb']:6.2f} GB  {one['counts']}", flush=True)
    shares = [runs["matrix"][kind] / runs["hand"][kind] for kind in ("seconds", "cpu_seconds")]
    print(f"matrix / hand: {shares[0]:.2f} of the time, {shares[1]:.2f} of the CPU time")
    print("equal counts:", runs["hand"]["counts"] == runs["matrix"]["counts"])
    if not options.keep:
        shutil.rmtree(options.dir)


if __name__ == "__main__":
    main()
