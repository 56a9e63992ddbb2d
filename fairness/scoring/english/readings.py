"""How money, times, dates, fractions, measures and the like are spoken, from the text of each."""

from __future__ import annotations

import re

from roomtone.fairness.scoring.english import figures, words
from roomtone.fairness.scoring.english.figures import Reading

#: A whole number or a decimal, with thousands separators or without.
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"


def readings_of(figure: str) -> tuple[Reading, ...]:
    """Return the readings of a whole number or decimal, thousands separators taken out.

    Args:
        figure: as `NUMBER` finds it.
    """
    whole, point, part = figure.replace(",", "").partition(".")
    return figures.decimal(whole, part) if point else figures.whole(whole)


def measure(text: str) -> list[tuple[Reading, ...]]:
    """Return the readings of a figure and those of the unit behind it, e.g. of `1.5 mg`.

    Args:
        text: a figure and its unit.
    """
    found = re.match(rf"({NUMBER})(\s?)(.+)$", text)
    assert found is not None
    figure, gap, unit = found.groups()
    names = words.unit_words(unit)
    if gap and unit in words.ALSO_WORDS:
        names = ((unit,), *names)
    return [readings_of(figure), names]


def _money(text: str) -> tuple[Reading, ...]:
    found = re.match(rf"(.)\s?({NUMBER})\s?([a-z]*)$", text)
    assert found is not None
    sign, figure, scale = found.groups()
    one, many, cent, cents = words.MONEY[sign]
    spoken_scale = {"k": "thousand", "m": "million", "bn": "billion"}.get(scale, scale)
    names = ((one,), (many,)) if figure == "1" and not scale else ((many,), (one,))
    tail = (spoken_scale,) if spoken_scale else ()
    found_readings = [(*reading, *tail, *name) for name in names for reading in readings_of(figure)]
    whole, point, part = figure.replace(",", "").partition(".")
    if point and len(part) == 2 and not scale:
        head, small = figures.spelt(whole or "0"), figures.cardinal(int(part))
        name, small_name = (one if head == ("one",) else many), (cent if small == ("one",) else cents)
        parts = [
            (*head, name, *small),
            (*head, name, *small, small_name),
            (*head, name, "and", *small, small_name),
            (*head, *small),
        ]
        found_readings = [*(parts if int(part) else [(*head, name)]), *found_readings]
        if not whole.strip("0"):
            found_readings.insert(0, (*small, small_name))
    if figure == "1":
        found_readings.append(("a", *tail, one))
    return figures.unique([*found_readings, *(r[:-1] for r in found_readings if r[-1] in (one, many) and len(r) > 1)])


def _clock(text: str) -> tuple[Reading, ...]:
    found = re.match(r"(\d+)(?::(\d+))?\s?([ap]?)", text)
    assert found is not None
    hours, minutes, half = found.groups()
    if int(hours) > 24 or int(minutes or 0) > 59:
        return figures.unique((*a, *b) for a in figures.whole(hours) for b in figures.whole(minutes or "0"))
    times = (
        figures.clock(hours, minutes)
        if minutes
        else (figures.cardinal(int(hours)), (*figures.cardinal(int(hours)), "o'clock"))
    )
    ends = ((half + "m",), (half, "m")) if half else ((),)
    return figures.unique((*time, *end) for end in ends for time in times)


def _ratio(text: str) -> tuple[Reading, ...]:
    a, b = text.split(":")
    return figures.unique((*x, *link, *y) for link in (("to",), ()) for x in figures.whole(a) for y in figures.whole(b))


def _date(text: str) -> tuple[Reading, ...]:
    """Return the readings of a month and a day in either order."""
    day, month = (
        re.sub(r"\D", "", text),
        words.MONTHS[re.sub(r"[\d.]|\b(?:of|st|nd|rd|th)\b|(?<=\d)(?:st|nd|rd|th)", "", text).strip()],
    )
    ordinal, plain = figures.ordinal(day), figures.cardinal(int(day))
    month_first = [(month, *ordinal), (month, *plain), (month, "the", *ordinal)]
    day_first = [
        (*ordinal, "of", month),
        ("the", *ordinal, "of", month),
        (*ordinal, month),
        (*plain, month),
        ("the", *ordinal, month),
    ]
    return figures.unique([*month_first, *day_first] if not text[0].isdigit() else [*day_first, *month_first])


def _decade(text: str) -> tuple[Reading, ...]:
    figure = re.sub(r"\D", "", text)
    plural = [(*reading[:-1], _plural(reading[-1])) for reading in figures.whole(figure)]
    return figures.unique(sorted(plural, key=len))


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def _ordinal(text: str) -> tuple[Reading, ...]:
    return (figures.ordinal(re.sub(r"\D", "", text)),)


def _fraction(text: str) -> tuple[Reading, ...]:
    return figures.fraction(*re.split(r"[/\u2044]", text))


def _mixed(text: str) -> tuple[Reading, ...]:
    whole, part = re.split(r"[\s-]", text, maxsplit=1)
    tails = _fraction(part)
    return figures.unique((*figures.spelt(whole), *link, *tail) for tail in tails for link in (("and",), ()))


def _version(text: str) -> tuple[Reading, ...]:
    parts = [figures.whole(part)[0] for part in text.split(".")]
    pointed = tuple(word for k, part in enumerate(parts) for word in (*(("point",) if k else ()), *part))
    dotted = tuple("dot" if word == "point" else word for word in pointed)
    return figures.unique([pointed, dotted, tuple(word for part in parts for word in part)])


READERS = {
    "money": _money, "clock": _clock, "date": _date, "decade": _decade, "ordinal": _ordinal, "mixed": _mixed, "fraction": _fraction, "ratio": _ratio,
    "version": _version,
}  # fmt: skip
