"""Plausible mistakes: each is one line that says what to type instead, exit status 1, and no traceback."""

import numpy as np
import pytest
import soundfile

from roomtone.cli.main import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generat"], "unknown command 'generat'; did you mean 'generate'?"),
        (["generate", "to=my-set"], "unknown key 'to'; the folder that the set goes into is output.dir=FOLDER"),
        (
            ["generate", "dataset=my-set"],
            "unknown key 'dataset'; the folder that the set goes into is output.dir=FOLDER",
        ),
        (["generate", "output=my-set"], "known: flac, opus, parquet, wav, webdataset; a folder is output.dir=my-set"),
        (["generate", "output=flack"], "output: there is no option 'flack'; did you mean 'flac'?"),
        (["generate", "sede=1"], "unknown key 'sede'; did you mean 'seed'?"),
        (["generate", "scenario=hospital_imaging_flor"], "did you mean 'hospital_imaging_floor'?"),
        (["generate", "design=cover"], "design: there is no option 'cover'; did you mean 'covering'?"),
        (["generate", "--sed"], "unknown option '--sed'"),
        (["generate", "--config-dir"], "--config-dir needs a value"),
        (["generate", "--config-dir", "/no/such/folder"], "'/no/such/folder' is not a folder"),
        (["generate", "--config-name", "mine"], "there is no 'mine'"),
        (["generate", "+x._target_=os.system"], "'_target_' is not allowed"),
        (["generate", "scenario.factors.room=[none,wart]"], "room: unknown preset 'wart'; did you mean 'ward'?"),
        (["generate", "scenario.factors.noise=[none,babble]"], "says no SNR; write for instance babble@10dB"),
        (["generate", "seed=-1"], "seed: expected a whole number from 0 up, got -1"),
        (["generate", "executor.workers=0"], "executor.workers: expected a whole number from 1 up or null, got 0"),
        (["generate", "output.format=mp4"], "output.format: unknown 'mp4'"),
        (["generate", "corpus=table", "corpus.path=/no/such.csv"], "/no/such.csv"),
        (["verify"], "verify needs a set"),
        (["plan", "axes=accent,condition"], "axes: 'accent,condition' is a list; write axes=[accent,condition]"),
        (["verify", "share=0,5"], "share: '0,5': numbers have a decimal point; write share=0.5"),
        (["coverage", "stress-set"], "'stress-set' is not of the form key=value; write dataset=stress-set"),
        (["plan", "seed:3"], "'seed:3' is not of the form key=value; write seed=3"),
        (["plan", "--config-dri=x"], "did you mean '--config-dir'?"),
        (["plan", "config_dir=x"], "write --config-dir …"),
        (["plan", "output.dir"], "'output.dir' has no value; write output.dir=…"),
        (["plan", "=3"], "there is no key before the =; write key=3"),
        (["plan", "noise=[none"], "noise: '[none': a bracket is missing; write noise=[none,…]"),
        (["plan", "corpus.path=a[b"], "a bracket is missing"),
        (["plan", "corpus=3"], "corpus: '3' is not the name of an option"),
        (["plan", "presets=x"], "presets: expected a mapping, got 'x'"),
        (["plan", "sample_rate_hz=16k"], "sample_rate_hz: expected a whole number from 8000 to 96000, got '16k'"),
        (["plan", "level_dbov=loud"], "level_dbov: expected a number from -90 to 0, got 'loud'"),
        (["plan", "draws=comon"], "draws: 'comon' is not allowed; did you mean 'common'?"),
        (["plan", "zzzzz=1"], "unknown key 'zzzzz'; the nearest of "),
        (["plan", "scenario=triage"], "scenario: there is no option 'triage'; did you mean 'triage_desk'?"),
        (
            ["plan", "room=[ward@5dB]"],
            "a room has none; write ward, or for a noise of your own noise=ward=folder:DIR@5dB",
        ),
        (["plan", "noise=[white@500dB]"], "an SNR lies between -50 and 70 dB"),
        (["plan", "noise=[folder:/no/such@5dB]"], "there is no folder '/no/such'"),
        (["plan", "noise=[foldr:/tmp@5dB]"], "unknown kind 'foldr'; did you mean 'folder'?"),
        (["plan", "noise=[folder:/tmp]"], "says no SNR; write folder:/tmp@10dB"),
        (["plan", "noise=[white=folder:/tmp@5dB]"], "there is a preset 'white'; write my_white=folder:/tmp"),
        (["plan", "room=[musan:/tmp]"], "musan is a noise corpus; write noise=[musan:/tmp]"),
        (["list", "nois"], "list: there is no group 'nois'; did you mean 'noise'?"),
        (["list", "noise", "room"], "expected one group, got 2: noise, room"),
        (["show"], "show needs a name: roomtone show ward"),
        (["show", "wrad"], "there is no preset 'wrad'; did you mean 'ward'?"),
        (["show", "ward", "to=x.jpg"], "one preset goes into one file ending in .png"),
        (["listen"], "listen needs a condition"),
        (["listen", "ward+babel@5dB"], "there is no preset 'babel'; did you mean 'babble@5dB'?"),
        (
            ["listen", "babble@5dB+rain@5dB"],
            "babble@5dB and rain@5dB are both levels of noise, of which a condition has one",
        ),
        (["listen", "babble@5 dB"], "an SNR has no space: babble@5dB"),
        (["plan", "room=[clean,ward]"], "the level that changes nothing is none: room=[none,…]"),
        (["plan", "noise=[none,kitchen@5dB]"], "a folder of your own: noise=[none,kitchen=folder:DIR@5dB]"),
        (["noise"], "unknown command 'noise'; write roomtone list noise"),
        (["list", "kind=noise"], "unknown key 'kind'; write the group alone: roomtone list noise"),
        (["plan", "corpus=csv"], "there is no option 'csv'; write corpus=table corpus.path=…"),
        (["plan", "corpus.select.accents=[scottish]"], "write 'corpus.select.where={accent: [scottish, irish]}'"),
        (["plan", "corpus.select.max_per_speakr=3"], "did you mean 'corpus.select.max_per_speaker'?"),
        (["plan", "corpus.select.zzzz=3"], "corpus.select has the keys balance, "),
        (["plan", "scenario.goals.defualt={utterances:3}"], "goals: unknown key 'defualt'; did you mean 'default'?"),
        (["generate", "scenario.goals.default={uterances:3}"], "did you mean 'utterances'?"),
        (
            ["coverage", "dataset=x", "goals.default.speakers=3"],
            "goals is written whole: 'goals={default: {speakers: …}}'",
        ),
        (["coverage", "dataset=x", "scenario.goals.default={speakers:3}"], "write the goals whole: 'goals={default:"),
        (["coverage", "dataset=x", "gates=x"], "each gate is a key of its own, e.g. fail_under=0.9"),
        (["coverage", "dataset=x", "balance.least=3"], "balance is a list, written whole: 'balance=[…]'"),
        (["listen", "ward", "audio=/no/such.wav"], "audio: there is no file '/no/such.wav'"),
        (["listen", "ward", "to=x.mp3"], "to: a file ending in .wav or .flac, got 'x.mp3'"),
        (["verify", "dataset=/no/such"], "/no/such"),
        (["plan", "corpus=table", "corpus.columns.acent=dialect"], "did you mean 'corpus.columns.accent'?"),
        (["plan", "corpus=speech.csv"], "write corpus=table corpus.path=speech.csv"),
        (["plan", "--noise", "white@5dB"], "keys have no dashes: write noise=white@5dB"),
        (["plan", "noise=[none,", "white@5dB]"], "a space cuts the list in two; leave it out: noise=[none,white@5dB]"),
        (["plan", "corpus=table", "corpus.path=my", "file.csv"], "quote it: corpus.path='my file.csv'"),
        (["plan", "noise=white@0,5dB"], "write white@0.5dB"),
        (["plan", "noise=[white@5db]"], "write white@5dB"),
        (["plan", "noise=[none,ward@5dB]"], "unknown preset 'ward'; it belongs to room; write room=[none,ward]"),
        (["plan", "room=[white]"], "it belongs to noise; write noise=[none,white@10dB]"),
        (["plan", "noise=[hall=noises@5dB]"], "does not say that 'noises' is a place; write hall=folder:noises@5dB"),
        (["plan", "room=[hall=folder:/@5dB]"], "has an SNR, but a room has none; write hall=folder:/"),
        (["plan", "handset=[mine=response.wav]"], "write mine=file:response.wav"),
        (["listen", "ward, babble@5dB"], "levels are joined with +: ward+babble@5dB"),
        (["listen", "ward", "babble@5dB"], "levels are joined with +: ward+babble@5dB"),
        (["listen", "ward+babble"], "says no SNR; write for instance babble@10dB"),
        (["listen", "ward+hall=folder:noises@5dB"], "given with their factor: noise=folder:DIR@5dB"),
        (["listen", "noise=[white@5dB,pink@5dB]"], "listen plays one level at a time"),
        (["listen", "ward", "noise=white@5dB"], "a condition's name or its levels by factor, not both: ward and noise"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_1(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.rglob("*.flac")) == []


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """A set of twelve samples, a table of each mistaken kind, and Parquet tables that are no sets, in one folder."""
    import pandas as pd

    home = tmp_path_factory.mktemp("mistakes")
    soundfile.write(home / "a.wav", np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    head = "audio,text,speaker,accent\n"
    (home / "gone.csv").write_text(f"{head}gone.wav,hello,s,scottish\n")
    (home / "semi.csv").write_text(f"{head}a.wav,hello,s,scottish\n".replace(",", ";"))
    (home / "names.csv").write_text("file,text,speaker,accent\na.wav,hello,s,scottish\n")
    (home / "others.csv").write_text("audio,words,who\na.wav,hello,s\n")
    (home / "empty.csv").write_text("")
    pd.DataFrame({"audio": ["a.wav"], "x": [1]}).to_parquet(home / "odd.parquet")
    (home / "odd" / "manifest").mkdir(parents=True)
    pd.DataFrame({"audio": ["a.wav"], "x": [1]}).to_parquet(home / "odd" / "manifest" / "part-00000.parquet")
    (home / "latin.csv").write_bytes(f"{head}a.wav,café,s,québécois\n".encode("latin-1"))
    (home / "same.csv").write_text(f"{head}a.wav,hello,s,scottish\na.wav,hello again,s,scottish\n")
    (home / "nothing").mkdir()
    none = [f"{factor}=none" for factor in ("room", "noise", "equipment", "handset")]
    words = ["corpus.select.max_per_accent=1", "executor=serial", f"output.dir={home / 'set'}", "--quiet"]
    assert main(["generate", *none, *words]) == 0
    (home / "own" / "manifest").mkdir(parents=True)
    part = "manifest/part-00000.parquet"
    pd.read_parquet(home / "set" / part).assign(corpus="mine").to_parquet(home / "own" / part)
    return home


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate"], "evaluate needs a set: roomtone evaluate dataset=DIR"),
        (["evaluate", "dataset=nothing"], "is it a set that `roomtone generate` wrote?"),
        (
            ["evaluate", "dataset=set", "asr=faster_whisper"],
            "asr=faster_whisper needs asr.model; write asr.model=tiny.en",
        ),
        (["evaluate", "dataset=set", "asr=transformers"], "asr=transformers needs asr.model; write asr.model=FOLDER"),
        (["evaluate", "dataset=set", "asr=http"], "asr=http needs asr.url; write asr.url=http://localhost:8000/v1"),
        (["evaluate", "dataset=set", "asr=command"], "asr=command needs asr.command; write 'asr.command=\"my-asr"),
        (["evaluate", "dataset=set", "asr=hypotheses"], "asr=hypotheses needs a file: path=FILE"),
        (["evaluate", "dataset=set", "asr=hypotheses", "path=no.csv"], "no.csv: there is no such file of hypotheses"),
        (["evaluate", "dataset=set", "group=acent"], "no column 'acent'; did you mean 'accent'?"),
        (["plan", "corpus=table"], "corpus.path is missing; type corpus.path=FOLDER_OR_FILE"),
        (["plan", "corpus=table", "corpus.path=gone.csv"], "none of the 1 recordings can be read; the first: "),
        (["generate", "corpus=table", "corpus.path=gone.csv"], "none of the 1 recordings can be read; the first: "),
        (["plan", "corpus=table", "corpus.path=latin.csv"], "iconv -f WINDOWS-1252 -t UTF-8 latin.csv > utf8.csv"),
        (
            ["plan", "corpus=table", "corpus.path=same.csv"],
            "where two rows name one recording, remove one, or give each",
        ),
        (["plan", "corpus=nothing"], "write corpus=folder corpus.path=nothing"),
        (["plan", "noise=[x=folder:a.wav@5dB]"], "'a.wav' is a file; write x=file:a.wav@5dB"),
        (["plan", "noise=[x=file:nothing@5dB]"], "'nothing' is a folder; write x=folder:nothing@5dB"),
        (
            ["plan", "corpus=table", "corpus.path=semi.csv"],
            "separated by ';'; save it with commas (.csv) or tabs (.tsv)",
        ),
        (["plan", "corpus=table", "corpus.path=names.csv"], "corpus.columns.audio=NAME names another"),
        (
            ["plan", "corpus=table", "corpus.path=others.csv"],
            "no columns 'text', 'speaker', 'accent'; columns: audio, words, who; corpus.columns.text=NAME corpus.columns.speaker=NAME",
        ),
        (["evaluate", "dataset=others.csv"], "corpus.path=others.csv room=none noise=none equipment=none handset=none"),
        (["evaluate", "dataset=own"], "asr: name the recogniser, e.g. asr=faster_whisper"),
        (["coverage", "dataset=set/coverage/index.html"], "is a file, and a set is a folder; the set is set"),
        (["coverage", "dataset=semi.csv", "columns={sample_id: audio}"], "to: name a folder for the results"),
        (
            ["evaluate", "dataset=set", "asr=hypotheses", "path=others.csv"],
            "'sample_id' and none 'hypothesis'; known: audio, who, words; rename",
        ),
        (["plan", "corpus=table", "corpus.path=empty.csv"], "is empty; a table needs a line of column names"),
        (["plan", "corpus=table", "corpus.path=a.wav"], "not a table that can be read; endings: .csv"),
        (["plan", "corpus=vctk", "corpus.path=nothing"], "is it the VCTK folder?"),
        (["plan", "presets={noise:x}"], "presets: takes no new keys on the command line"),
        (["plan", "scenario.goals.default={utterance:6}"], "unknown unit 'utterance'; did you mean 'utterances'?"),
        (["plan", "scenario.factors={room:[none],nois:[none]}"], "unknown factor 'nois'; did you mean 'noise'?"),
        (["plan", "noise=[none,babble@5]"], "'babble@5' is not of the form babble@5dB"),
        (["plan", "max_rejected=lots"], "max_rejected: "),
        (["plan", "executor=slurm"], "executor: there is no option 'slurm'"),
        (["generate", "output=mp3"], "output: there is no option 'mp3'"),
        (["coverage"], "dataset=stress-set"),
        (["coverage", "dataset=nothing"], "is it a set that `roomtone generate` wrote?"),
        (["coverage", "dataset=odd"], "it has no column 'sample_id'"),
        (["coverage", "dataset=set", "fail_under=ninety"], "fail_under: expected a number from 0 to 100, got 'ninety'"),
        (["coverage", "dataset=set", "fail_under=900"], "fail_under: expected a number from 0 to 100, got 900"),
        (["coverage", "dataset=set", "min_speakers=-1"], "min_speakers: expected a whole number from 0 up, got -1"),
        (
            ["coverage", "dataset=set", "axes=[acent,condition]"],
            "no column 'acent' for an axis; did you mean 'accent'?",
        ),
        (["export", "dataset=set", "format=kladi", "to=x"], "format: unknown 'kladi'; did you mean 'kaldi'?"),
        (["export", "dataset=set", "format=kaldi"], "export needs to: roomtone export dataset=DIR format=NAME to=DIR"),
        (["measure"], "give either recording=FILE as=equipment name=our_scanner, or place=DIR"),
        (["measure", "recording=a.wav", "as=machine", "name=x"], "'machine' cannot be measured; known: equipment"),
    ],
)
def test_a_mistake_with_a_set_or_a_table_is_one_line_and_exit_status_1(words, message, small_set, capsys, monkeypatch):
    monkeypatch.chdir(small_set)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
