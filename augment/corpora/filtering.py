"""Which utterances of a corpus a selection admits: attributes, duration, words, measured quality."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

from roomtone.augment.corpora.balancing import Candidate, choose, speakers_of_split
from roomtone.augment.corpora.durations import duration_s
from roomtone.augment.corpora.select import OWN_FIELDS, Selection
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.words import word_count


def select_utterances(selection: Selection, read: Callable[[], Iterator[Utterance]]) -> Iterator[Utterance]:
    """Yield the chosen utterances of a corpus.

    Args:
        selection: the keys of `corpus.select`.
        read: reads the corpus from its beginning, each time that it is called.

    Raises:
        RoomtoneError: an attribute that no utterance has, or a split of a corpus that does not say who speaks.
    """
    if selection.split is not None:
        read = functools.partial(_spoken_by, read, speakers_of_split(selection, read()))
    if not selection.chooses:
        yield from _passing(selection, read())
        return
    reasons: dict[str, str] = {}
    chosen = choose(selection, _candidates(selection, read(), reasons))
    for utterance in _passing(selection, read(), measure=False):
        reason = reasons.get(utterance.utterance_id)
        if reason is not None:
            yield dataclasses.replace(utterance, problem=reason)
        elif utterance.problem is not None or utterance.utterance_id in chosen:
            yield utterance


def _candidates(selection: Selection, utterances: Iterator[Utterance], reasons: dict[str, str]) -> Iterator[Candidate]:
    """Yield what may be chosen; what cannot be measured is noted in `reasons`, by utterance id."""
    for utterance in utterances:
        for passed in _passing(selection, iter([utterance]), check_names=False):
            try:
                if passed.problem is None:
                    yield Candidate.of(passed, selection)
                elif utterance.problem is None:
                    reasons[passed.utterance_id] = passed.problem
            except RoomtoneError as error:
                reasons[passed.utterance_id] = str(error)


def _passing(
    selection: Selection, utterances: Iterator[Utterance], *, measure: bool = True, check_names: bool = True
) -> Iterator[Utterance]:
    """Yield what passes the filters that look at one utterance alone; what cannot be measured passes, with its problem."""
    missing = set(selection.where or ()) - set(OWN_FIELDS) if check_names else set()
    names: set[str] = set()
    count = 0
    for utterance in utterances:
        count += 1
        if missing:
            missing -= set(utterance.attributes)
            names |= set(utterance.attributes)
        if not _wanted(selection, utterance) or not _words_fit(selection, utterance):
            continue
        if utterance.problem is None and measure:
            reason_or_fit = _measured(selection, utterance)
            if isinstance(reason_or_fit, str):
                utterance = dataclasses.replace(utterance, problem=reason_or_fit)
            elif not reason_or_fit:
                continue
        yield utterance
    if missing and count:
        name = sorted(missing)[0]
        raise RoomtoneError(f"corpus.select.where: no utterance has {name!r}; {nearest(name, [*names, *OWN_FIELDS])}")


def _wanted(selection: Selection, utterance: Utterance) -> bool:
    for name, values in (selection.where or {}).items():
        allowed = {str(v) for v in values} if isinstance(values, list | tuple) else {str(values)}
        if name == "accent":
            if not allowed & set(utterance.accents):
                return False
            continue
        value = getattr(utterance, name) if name in OWN_FIELDS else utterance.attributes.get(name)
        if str(value) not in allowed:
            return False
    return True


def _words_fit(selection: Selection, utterance: Utterance) -> bool:
    if selection.min_words is None and selection.max_words is None:
        return True
    words = word_count(utterance.text)
    return (selection.min_words or 0) <= words <= (words if selection.max_words is None else selection.max_words)


def _measured(selection: Selection, utterance: Utterance) -> bool | str:
    """Return whether length and quality fit, or why they cannot be measured."""
    try:
        return _length_fits(selection, utterance) and _clean_enough(selection, utterance)
    except RoomtoneError as error:
        return str(error)


def _length_fits(selection: Selection, utterance: Utterance) -> bool:
    if selection.min_duration_s is None and selection.max_duration_s is None:
        return True
    seconds = duration_s(utterance)
    return (
        (selection.min_duration_s or 0.0)
        <= seconds
        <= (seconds if selection.max_duration_s is None else selection.max_duration_s)
    )


def _clean_enough(selection: Selection, utterance: Utterance) -> bool:
    if selection.min_speech_to_floor_db is None and selection.min_bandwidth_hz is None:
        return True
    from roomtone.augment.corpora.recording_quality import quality_of

    quality = quality_of(utterance)
    floor_db = -float("inf") if selection.min_speech_to_floor_db is None else selection.min_speech_to_floor_db
    return quality.speech_to_floor_db >= floor_db and quality.bandwidth_hz >= (selection.min_bandwidth_hz or 0.0)


def _spoken_by(read: Callable[[], Iterator[Utterance]], speakers: set[str]) -> Iterator[Utterance]:
    return (utterance for utterance in read() if utterance.speaker in speakers)
