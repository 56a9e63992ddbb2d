"""How a figure may be spoken: every reading that English speakers use, the plainest first.

Readings never hold the "and" of "one hundred and twenty": `spoken` drops it from written-out numbers as well. A reading is a tuple of words.
"""

from __future__ import annotations

from collections.abc import Iterable

Reading = tuple[str, ...]

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
#: Figures longer than this are read digit by digit alone.
_LONGEST_CARDINAL = 15
_LONGEST_SPLIT = 12


def cardinal(number: int) -> Reading:
    """Return a whole number from 0 to below 10^15 in words.

    Args:
        number: 0 or more, below 10^15.

    >>> " ".join(cardinal(1250))
    'one thousand two hundred fifty'
    """
    if number < 20:
        return (UNITS[number],)
    if number < 100:
        return (TENS[number // 10], *(cardinal(number % 10) if number % 10 else ()))
    if number < 1000:
        return (UNITS[number // 100], "hundred", *(cardinal(number % 100) if number % 100 else ()))
    words: Reading = ()
    for scale, name in enumerate(SCALES):
        part = number // 1000**scale % 1000
        if part:
            words = (*cardinal(part), *((name,) if name else ()), *words)
    return words


def spelt(figure: str) -> Reading:
    """Return a whole number in words as `cardinal` does; one of more than fifteen digits digit by digit.

    Args:
        figure: digits, at least one.
    """
    return cardinal(int(figure)) if len(figure) <= _LONGEST_CARDINAL else digits(figure)


def ordinal(figure: str) -> Reading:
    """Return the ordinal of a whole number.

    Args:
        figure: digits, at least one.

    >>> " ".join(ordinal("21"))
    'twenty first'
    """
    *before, last = spelt(figure)
    return (*before, _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th"))


def digits(figure: str) -> Reading:
    """Return each digit as a word.

    Args:
        figure: digits 0 to 9.
    """
    return tuple(UNITS[int(digit)] for digit in figure)


def unique(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """Return the readings in order, duplicates left out.

    Args:
        readings: in order of preference.
    """
    return tuple(dict.fromkeys(readings))


def whole(figure: str) -> tuple[Reading, ...]:
    """Return the readings of a whole number as it is written, e.g. `120`, `007`, `1999`.

    Args:
        figure: digits 0 to 9.

    >>> [" ".join(words) for words in whole("120")]
    ['one hundred twenty', 'one two zero', 'one twenty', 'twelve zero']
    """
    found: list[Reading] = []
    if len(figure) <= _LONGEST_CARDINAL and (figure[0] != "0" or len(figure) == 1):
        found.append(cardinal(int(figure)))
    if len(figure) == 4 and figure[0] != "0":
        found += _year(figure)
    found.append(digits(figure))
    if 3 <= len(figure) <= _LONGEST_SPLIT:
        found += [words for sizes in _splits(len(figure)) if (words := _in_parts(figure, sizes))]
    return unique(found)


def _year(figure: str) -> list[Reading]:
    head, tail = int(figure[:2]), int(figure[2:])
    if head % 10 == 0 and tail < 10:
        return [] if tail else [(*cardinal(head), "hundred")]
    if tail == 0:
        return [(*cardinal(head), "hundred")]
    low = (
        [("zero", *cardinal(tail)), ("hundred", *cardinal(tail))]
        if tail < 10
        else [cardinal(tail), ("hundred", *cardinal(tail))]
    )
    return [(*cardinal(head), *rest) for rest in low]


def _splits(length: int) -> list[tuple[int, ...]]:
    """Return the ways in which speakers cut a long figure: by two from either end, by three."""
    if length == 3:
        return [(1, 2), (2, 1)]
    odd = length % 2
    ways = [(1,) * odd + (2,) * (length // 2), (2,) * (length // 2) + (1,) * odd]
    return [*ways, *([(3,) * (length // 3)] if length % 3 == 0 else [])]


def _in_parts(figure: str, sizes: tuple[int, ...]) -> Reading:
    """Return the parts of a figure, each read as a number; one that begins with 0 digit by digit."""
    words: Reading = ()
    at = 0
    for size in sizes:
        part = figure[at : at + size]
        words += digits(part) if part[0] == "0" else cardinal(int(part))
        at += size
    return words


def decimal(whole_part: str, fraction: str) -> tuple[Reading, ...]:
    """Return the readings of a decimal such as `1.5`; none of them is that of its digits without the point.

    Args:
        whole_part: digits before the point, or none.
        fraction: digits behind it.

    >>> [" ".join(words) for words in decimal("1", "5")]
    ['one point five', 'one and a half', 'one and one half', 'one and half']
    """
    heads = whole(whole_part) if whole_part else ()
    tails = unique([digits(fraction), *(whole(fraction) if fraction[0] != "0" and len(fraction) < 4 else ())])
    found = [(*head, "point", *tail) for tail in tails for head in heads]
    if not whole_part.strip("0"):
        found += [("point", *tail) for tail in tails]
    parts = {"5": "half", "25": "quarter", "75": "three quarters"}.get(fraction.rstrip("0") or "0")
    if parts and heads and whole_part.strip("0"):
        found += [(*heads[0], "and", *words) for words in _part_words(parts)[:3]]
    elif parts:
        found += _part_words(parts)
    if not fraction.strip("0"):
        found += list(heads)
    return unique(found)


def _part_words(name: str) -> list[Reading]:
    return (
        [("three", "quarters"), ("three", "fourths")]
        if " " in name
        else [("a", name), ("one", name), (name,), (name, "a")]
    )


def fraction(above: str, below: str) -> tuple[Reading, ...]:
    """Return the readings of a written fraction such as `3/4`, also those of `24/7`.

    Args:
        above, below: digits of the two numbers.

    >>> [" ".join(words) for words in fraction("3", "4")][:2]
    ['three quarters', 'three fourths']
    """
    n, d = int(above), int(below)
    found: list[Reading] = []
    if n > 0 and 1 < d <= 100:
        names = {2: ("half",), 4: ("quarter", "fourth")}.get(d) or (" ".join(ordinal(str(d))),)
        for name in names:
            many = {"half": "halves"}.get(name, name + "s")
            found.append((*cardinal(n), *(name if n == 1 else many).split()))
            if n == 1:
                found += [("a", *name.split()), tuple(name.split())] if name == "half" else [("a", *name.split())]
    for words in (("over",), ("slash",), ("out", "of"), ()):
        found.append((*cardinal(n), *words, *cardinal(d)))
    return unique(found)


def clock(hours: str, minutes: str) -> tuple[Reading, ...]:
    """Return the readings of a time of day such as `8:05`.

    Args:
        hours, minutes: digits.

    >>> [" ".join(words) for words in clock("8", "30")]
    ['eight thirty', 'half past eight']
    """
    h, m = int(hours), int(minutes)
    hour, after = cardinal(h), cardinal(h % 12 + 1)
    if m == 0:
        return unique(
            [(*hour, "o'clock"), hour, (*hour, "hundred"), (*hour, "zero", "zero"), (*hour, "hundred", "hours")]
        )
    found = [(*hour, "zero", *cardinal(m)), (*hour, *cardinal(m))] if m < 10 else [(*hour, *cardinal(m))]
    past = {15: (("quarter",), ("a", "quarter")), 30: (("half",),)}.get(m, (cardinal(m),) if m < 30 else ())
    found += [(*words, "past", *hour) for words in past]
    before = {45: (("quarter",), ("a", "quarter"))}.get(m, (cardinal(60 - m),) if m > 30 else ())
    return unique(found + [(*words, "to", *after) for words in before])
