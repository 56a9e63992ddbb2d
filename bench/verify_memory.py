"""Peak memory and time of `roomtone verify share=0` on a set of many rows, every one with a file of its own that holds what its row says.

    python -P bench/verify_memory.py [--rows 500000] [--folder DIR]

One sample of the bundled corpus is made by the command. Its row is repeated under other utterances, each with the sample id and the seal that
belong to it, in parts of 1,000; its file is repeated by hard links, one file a part. So nothing is wrong with the set, and `verify` must say so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PART_ROWS = 1000
NONE = [f"scenario.factors.{name}=[none]" for name in ("room", "noise", "equipment", "handset")]
#: Runs in a process of its own: prints its exit status and the peaks of itself and of its largest worker, in kilobytes. Its own peak is Linux's
#: VmHWM: `ru_maxrss` goes on from that of the process which started it.
RUN = """
import json, re, resource, sys
if __name__ == "__main__":
    from roomtone.cli.main import main
    status = main(sys.argv[1:])
    own = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
    print(json.dumps([status, own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def make_rows(row: dict[str, Any], shard: int, count: int) -> list[dict[str, Any]]:
    """Return rows of a part: one row under other utterances, ids and seals made anew."""
    from roomtone.augment.rendering.recipe import Draws, Recipe, sample_id
    from roomtone.augment.scenarios.conditions import parse_condition
    from roomtone.augment.scenarios.scenario import lookup
    from roomtone.core.dataset.columns import ROW_HASH
    from roomtone.core.dataset.row_hash import row_hash
    from roomtone.core.vocabulary import FACTORS

    recipe = Recipe.from_json(row["recipe"])
    condition = parse_condition({name: row[name] for name in FACTORS}, lookup({}))
    rows = []
    for number in range(shard * PART_ROWS, shard * PART_ROWS + count):
        utterance = f"{row['utterance_id']}-{number}"
        draws = Draws(int(row["seed"]), utterance, row["condition"], 0, recipe.common)
        name = sample_id(draws, condition, recipe.clean, row["corpus"], recipe.sample_rate_hz, recipe.level_dbov)
        new = row | {"utterance_id": utterance, "sample_id": name, "audio_path": f"audio/{shard:05d}/{name}.flac"}
        rows.append(new | {ROW_HASH: row_hash(new)})
    return rows


def make_set(folder: Path, count: int) -> None:
    """Make a set of that many rows."""
    from roomtone.augment.output.audio_folder import write_metadata
    from roomtone.cli.main import main as roomtone
    from roomtone.core.dataset.manifest import read_manifest, write_part
    from roomtone.core.dataset.storage import open_storage

    words = ["generate", *NONE, "corpus.select.max_per_accent=1", "executor=serial", f"output.dir={folder}"]
    if roomtone([*words, "--quiet"]) != 0:
        raise SystemExit("the sample could not be made")
    records = [
        {key: None if value != value else value for key, value in record.items()}
        for record in read_manifest(folder).to_dict("records")
    ]
    row = min(records, key=lambda record: record["num_samples"])
    sample = (folder / row["audio_path"]).read_bytes()
    for name in ("audio", "manifest", "coverage"):
        shutil.rmtree(folder / name)
    shards = -(-count // PART_ROWS)
    for shard in range(shards):
        rows = make_rows(row, shard, min(PART_ROWS, count - shard * PART_ROWS))
        first, *others = [folder / new["audio_path"] for new in rows]
        first.parent.mkdir(parents=True)
        first.write_bytes(sample)
        for other in others:
            os.link(first, other)
        write_part(rows, folder / "manifest" / f"part-{shard:05d}.parquet")
    record = json.loads((folder / "dataset.json").read_text())
    counts = {"planned": count, "rendered": count, "rejected": 0}
    record["counts"] |= counts
    record["runs"][0] |= {"first_shard": 0, "shards": shards, "counts": record["runs"][0]["counts"] | counts}
    (folder / "dataset.json").write_text(json.dumps(record))
    (folder / "croissant.json").unlink()  # it names the parts of the set of one sample
    write_metadata(open_storage(folder))


def main() -> int:
    """Print one table; return what `verify` did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, help="where the set is made; default a temporary folder")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="verify-memory-", dir=asked.folder))
    try:
        make_set(work / "set", asked.rows)
        script = work / "run.py"
        script.write_text(RUN)
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-P", str(script), "verify", f"dataset={work / 'set'}", "share=0", "executor.workers=2"],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
    finally:
        shutil.rmtree(work, ignore_errors=True)
    *said, last = done.stdout.splitlines()
    status, driver, worker = json.loads(last)
    print("| verify share=0 | |\n|---|--:|")
    print(f"| rows, files | {asked.rows:,} |")
    print(f"| exit status, and what it said | {status}: {' '.join(said)} |")
    print(f"| peak memory of the command | {driver / 1024:.0f} MB |")
    print(f"| peak memory of its largest worker, of two | {worker / 1024:.0f} MB |")
    print(f"| time | {seconds:.0f} s |")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
