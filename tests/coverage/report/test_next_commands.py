"""What a coverage page offers to do next fits the set: its speech, and whether a recogniser was tried already."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from roomtone.coverage.report.next_commands import further_steps


@pytest.mark.parametrize(
    ("corpora", "offered"),
    [
        (["demo", "demo"], "roomtone evaluate dataset=set"),
        (["mine", "mine"], "roomtone evaluate dataset=set asr=faster_whisper asr.model=tiny.en"),
        (["demo", "mine"], "roomtone evaluate dataset=set asr=faster_whisper asr.model=tiny.en"),
    ],
)
def test_the_recogniser_of_the_demo_is_offered_for_the_demo_alone(tmp_path, write_set, corpora, offered) -> None:
    rows = [
        {
            "sample_id": f"s{k}",
            "utterance_id": f"u{k}",
            "speaker": "a",
            "accent": "x",
            "condition": "clean",
            "corpus": name,
        }
        for k, name in enumerate(corpora)
    ]
    folder = write_set(tmp_path / "set", pd.DataFrame(rows))
    assert next(step.command for step in further_steps(folder)) == offered
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluation.json").write_text("{}")
    assert not [step for step in further_steps(folder) if "roomtone evaluate" in step.command]
    assert [step.kind for step in further_steps(folder)] == ["raise"]
    assert not further_steps(folder, raised=True)  # the command that was just typed
    config = {"corpus": {"reader": "demo"}, "scenario": {"name": "ward_round"}}
    (folder / "dataset.json").write_text(json.dumps({"runs": [{"config": config}]}))
    (step,) = further_steps(folder, raised=True, to_record=True)
    assert (step.kind, step.command) == (
        "record",
        "roomtone plan corpus=demo scenario=ward_round design=fill output.dir=set",
    )
