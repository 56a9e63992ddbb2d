"""What is in a corpus, before anything is rendered from it: counts, quality, labels that no map has, and problems.

Everything is counted over all utterances; quality is measured on as many of them as are asked for, chosen by the hash of their ids.
An utterance of several accents counts in each of them, as in the coverage matrix.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from roomtone.augment.corpora import Corpus
from roomtone.augment.corpora.accents import UNMAPPED
from roomtone.augment.corpora.duplicate_audio import DuplicateAudio
from roomtone.augment.corpora.recording_quality import Quality, quality_of
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.reading import inspect
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.random_streams import content_key
from roomtone.core.vocabulary import NOT_STATED
from roomtone.core.words import prompt_key, word_count

#: A floor nearer to the speech than this is heard in a label of 20 dB: it alone makes 20 dB into 17.
MIN_SPEECH_TO_FLOOR_DB = 20.0
#: Wideband telephony ends at 7 kHz, telephone band at 3.4; MP3s of low rate between them [the bound is a choice of ours].
MIN_BANDWIDTH_HZ = 5_000.0
MAX_CLIPPED_SHARE = 0.001
_EXAMPLES = 3


def problems_of(quality: Quality) -> list[str]:
    """Return why a recording is not clean, one phrase a reason; none where it is clean."""
    found = []
    if quality.speech_to_floor_db < MIN_SPEECH_TO_FLOOR_DB:
        found.append(f"noise floor less than {MIN_SPEECH_TO_FLOOR_DB:g} dB below the speech")
    if quality.bandwidth_hz < MIN_BANDWIDTH_HZ:
        found.append(f"bandwidth less than {MIN_BANDWIDTH_HZ:g} Hz")
    if quality.clipped_share > MAX_CLIPPED_SHARE:
        found.append(f"more than {MAX_CLIPPED_SHARE:.1%} of the samples clipped")
    return found


@dataclass
class Group:
    """The counts of one accent or of one value of an attribute."""

    utterances: int = 0
    words: int = 0
    seconds: float = 0.0
    speakers: set[str] = field(default_factory=set)
    nameless: int = 0
    qualities: list[Quality] = field(default_factory=list)

    def add(self, utterance: Utterance, seconds: float) -> None:
        """Count one utterance that lasts so many seconds.

        Args:
            utterance: to count.
            seconds: it lasts.
        """
        self.utterances += 1
        self.words += word_count(utterance.text)
        self.seconds += seconds
        if utterance.speaker is None:
            self.nameless += 1
        else:
            self.speakers.add(utterance.speaker)

    def as_row(self) -> dict[str, Any]:
        """Return the counts, and the medians of what was measured (null where nothing was)."""
        return {
            "speakers": len(self.speakers),
            "utterances": self.utterances,
            "utterances_without_speaker": self.nameless,
            "minutes": self.seconds / 60.0,
            "words": self.words,
            "measured": len(self.qualities),
            # the floor of digital silence counts as that of 16 bits, since a median cannot be infinite in JSON
            "speech_to_floor_db": _median(min(q.speech_to_floor_db, 96.0) for q in self.qualities),
            "bandwidth_hz": _median(q.bandwidth_hz for q in self.qualities),
            "level_dbov": _median(q.level_dbov for q in self.qualities),
            "rumble_to_speech_db": _median(q.rumble_to_speech_db for q in self.qualities),
            "largest_rumble_to_speech_db": max((q.rumble_to_speech_db for q in self.qualities), default=None),
            "largest_offset": max((abs(q.offset) for q in self.qualities), default=None),
        }


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(median(found)) if found else None


@dataclass
class CorpusReport:
    """What `survey` found.

    Attributes:
        groups: attribute (`accent` first) -> value -> counts.
        unusable: reason -> utterance ids.
        flagged: reason -> utterance ids, of those measured.
        unmapped: raw accent label -> utterances.
        same_prompt: number of utterances that share their words with another one.
        same_audio: ids of recordings with the same bytes as an earlier one.
        without_text: number of utterances that have no transcript.
        without_accent: number of utterances that state no accent.
        skipped: ending -> number of files of the corpus's folder that are not read.
    """

    name: str
    licence: str | None
    attribution: str | None
    speech_origins: set[str] = field(default_factory=set)
    languages: Counter[str] = field(default_factory=Counter)
    total: Group = field(default_factory=Group)
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    unusable: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    flagged: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unmapped: Counter[str] = field(default_factory=Counter)
    same_prompt: int = 0
    same_audio: list[str] = field(default_factory=list)
    without_text: int = 0
    without_accent: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def unusable_count(self) -> int:
        """Return how many utterances cannot be used."""
        return sum(map(len, self.unusable.values()))

    @property
    def seen(self) -> int:
        """Return how many utterances there are, usable or not."""
        return self.total.utterances + self.unusable_count

    def as_dict(self) -> dict[str, Any]:
        """Return the report in plain JSON types."""
        return {
            "corpus": self.name,
            "licence": self.licence,
            "attribution": self.attribution,
            "speech_origins": sorted(self.speech_origins),
            "languages": dict(self.languages.most_common()),
            "total": self.total.as_row(),
            "groups": {by: {v: g.as_row() for v, g in sorted(values.items())} for by, values in self.groups.items()},
            "unusable": {
                reason: {"count": len(ids), "examples": ids[:_EXAMPLES]} for reason, ids in self.unusable.items()
            },
            "flagged": {
                reason: {"count": len(ids), "examples": ids[:_EXAMPLES]} for reason, ids in self.flagged.items()
            },
            "unmapped": dict(self.unmapped.most_common()),
            "same_prompt": self.same_prompt,
            "same_audio": self.same_audio,
            "without_text": self.without_text,
            "without_accent": self.without_accent,
            "skipped_files": dict(self.skipped.most_common()),
        }


def survey(
    corpus: Corpus,
    *,
    by: Sequence[str] = (),
    measure: int | None = 200,
    duplicates: bool = True,
    progress: Callable[[int], None] = lambda count: None,
) -> CorpusReport:
    """Return what is in a corpus; it is read once, and again to choose what is measured.

    Args:
        corpus: an opened corpus; its selection holds.
        by: attributes to count by, beside the accent.
        measure: how many utterances are decoded and measured; None is all of them.
        duplicates: whether recordings with the same bytes are searched for (files of one size are hashed).
        progress: called with the number of utterances done so far.

    Raises:
        RoomtoneError: the corpus cannot be read, or no utterance has an attribute of `by`.
    """
    report = CorpusReport(corpus.name, corpus.licence, corpus.attribution, skipped=corpus.skipped())
    report.groups = {name: defaultdict(Group) for name in ("accent", *by)}
    chosen = None if measure is None else _chosen(corpus, measure)
    prompts: Counter[bytes] = Counter()
    audio = DuplicateAudio() if duplicates else None
    names: set[str] = set()
    for count, utterance in enumerate(corpus, start=1):
        names |= set(utterance.attributes)
        _count_labels(report, utterance)
        try:
            seconds = _usable_seconds(utterance)
            quality = quality_of(utterance) if chosen is None or utterance.utterance_id in chosen else None
            if audio is not None and audio.seen(utterance):
                report.same_audio.append(utterance.utterance_id)
        except RoomtoneError as error:
            report.unusable[_kind(utterance, error)].append(utterance.utterance_id)
            continue
        finally:
            progress(count)
        if utterance.text:
            prompts[content_key(prompt_key(utterance.text)).encode()[:16]] += 1
        _add(report, utterance, seconds, quality)
    if unknown := [name for name in by if name not in names]:
        raise RoomtoneError(f"by: no utterance has {unknown[0]!r}; {nearest(unknown[0], names)}")
    report.same_prompt = sum(times for times in prompts.values() if times > 1)
    return report


def _chosen(corpus: Corpus, measure: int) -> set[str]:
    """Return the ids of the utterances to measure: the first in the order of their hashes."""
    import heapq

    usable = (u.utterance_id for u in corpus if u.problem is None)
    return set(heapq.nsmallest(measure, usable, key=content_key)) if measure else set()


def _usable_seconds(utterance: Utterance) -> float:
    """Return the length of an utterance in seconds; its header is read also where the corpus states a length."""
    if utterance.problem is not None:
        raise RoomtoneError(utterance.problem)
    info = inspect(utterance.audio.path)
    left = info.duration_s - utterance.audio.offset_s
    if left <= 0:
        raise RoomtoneError(f"{utterance.audio.path}: the segment begins after the end of the recording")
    return min(utterance.audio.duration_s or left, left)


def _kind(utterance: Utterance, error: RoomtoneError) -> str:
    """Return a reason without the names of this utterance, so that equal reasons are counted together."""
    text = str(error)
    for name in (utterance.audio.path, utterance.utterance_id):
        text = text.replace(name, "")
    return text.split("; did you mean")[0].lstrip(": ").strip() or "cannot be used"


def _count_labels(report: CorpusReport, utterance: Utterance) -> None:
    report.speech_origins.add(utterance.speech_origin)
    report.languages[utterance.language or NOT_STATED] += 1
    report.without_text += utterance.text is None
    report.without_accent += utterance.accent is None
    if UNMAPPED in utterance.accents:
        report.unmapped[utterance.accent_raw or ""] += 1


def _add(report: CorpusReport, utterance: Utterance, seconds: float, quality: Quality | None) -> None:
    groups = [report.total]
    for name, values in report.groups.items():
        labels = utterance.accents if name == "accent" else (utterance.attributes.get(name),)
        groups += [values[label or NOT_STATED] for label in (labels or (None,))]
    for group in groups:
        group.add(utterance, seconds)
        if quality is not None:
            group.qualities.append(quality)
    if quality is not None:
        for reason in problems_of(quality):
            report.flagged[reason].append(utterance.utterance_id)


def accent_rows(report: CorpusReport) -> list[Mapping[str, Any]]:
    """Return one mapping an accent, for a CSV."""
    return [{"accent": name} | group.as_row() for name, group in sorted(report.groups["accent"].items())]
