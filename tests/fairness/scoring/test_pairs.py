"""Pairs of texts that are easily counted wrong: figures, units, hyphens, contractions, scripts of every kind, and nothing at all.

The counts were worked out by hand: what a careful reader calls a word that was lost, put in or taken for another under each normaliser. Those of
`whisper_english` are the library's own choices, such as reading "one twenty" as 120.
"""

import pytest

from roomtone.fairness.scoring.counting import align_tokens
from roomtone.fairness.scoring.normalize import NORMALIZERS, tokenizer_for

NAMES = ("none", "casefold", "basic", "spoken_english", "whisper_english")
#: Language, reference, hypothesis, errors under each of `NAMES`, and the reference's words (or characters) under `auto`.
PAIRS = (
    ("en", "8, 8, 1", "eight eight one", (3, 3, 3, 0, 3), 3),
    ("en", "eight eight one", "881", (3, 3, 3, 0, 0), 3),
    ("en", "one hundred and twenty", "120", (4, 4, 4, 0, 0), 3),
    ("en", "one twenty", "120", (2, 2, 2, 0, 0), 2),
    ("en", "one two zero", "120", (3, 3, 3, 0, 0), 3),
    ("en", "one hundred and twenty", "one hundred twenty", (1, 1, 1, 0, 0), 3),
    ("en", "1.5 mg", "15 mg", (1, 1, 2, 1, 1), 4),
    ("en", "1.5 mg", "one point five milligrams", (4, 4, 4, 0, 1), 4),
    ("en", "one and a half milligrams", "1.5 mg", (5, 5, 5, 0, 1), 5),
    ("en", "fifteen milligrams", "1.5 mg", (2, 2, 3, 3, 2), 2),
    ("en", "0.5 ml", "half a milliliter", (3, 3, 3, 0, 3), 3),
    ("en", "five dollars fifty", "$5.50", (3, 3, 3, 0, 2), 3),
    ("en", "$3 million", "three million dollars", (2, 2, 2, 0, 0), 3),
    ("en", "£1", "one pound", (2, 2, 2, 0, 0), 2),
    ("en", "ten percent", "10%", (2, 2, 2, 0, 0), 2),
    ("en", "10 per cent", "ten percent", (3, 3, 3, 0, 0), 2),
    ("en", "at half past eight", "at 8:30", (3, 3, 3, 0, 3), 4),
    ("en", "at eight oh five", "at 8:05", (3, 3, 3, 0, 2), 4),
    ("en", "eight am", "8 a.m.", (2, 2, 1, 0, 2), 2),
    ("en", "eight o'clock", "8:00", (2, 2, 2, 0, 2), 2),
    ("en", "the twenty first of May", "May 21", (5, 5, 5, 0, 4), 5),
    ("en", "May the fifth", "May 5th", (2, 2, 2, 0, 1), 3),
    ("en", "nineteen ninety nine", "1999", (3, 3, 3, 0, 0), 3),
    ("en", "two thousand five", "2005", (3, 3, 3, 0, 0), 3),
    ("en", "in the nineties", "in the 90s", (1, 1, 1, 0, 0), 3),
    ("en", "double oh seven", "007", (3, 3, 3, 0, 1), 3),
    ("en", "minus five degrees celsius", "-5°C", (4, 4, 4, 0, 3), 4),
    ("en", "three quarters", "3/4", (2, 2, 2, 0, 1), 2),
    ("en", "three and a half", "3\u00bd", (4, 4, 4, 0, 2), 4),
    ("en", "five to ten minutes", "5-10 minutes", (3, 3, 3, 0, 1), 4),
    ("en", "twenty-one", "21", (1, 1, 2, 0, 0), 2),
    ("en", "twenty first", "21st", (2, 2, 2, 0, 0), 2),
    ("en", "1,250 units", "1250 units", (1, 1, 2, 0, 0), 6),
    ("en", "ten kilometres per hour", "10 km/h", (4, 4, 4, 0, 3), 4),
    ("en", "twenty four seven", "24/7", (3, 3, 3, 0, 2), 3),
    ("en", "version one point two point three", "version 1.2.3", (5, 5, 5, 0, 0), 6),
    ("en", "it is late", "it's late", (2, 2, 2, 0, 0), 3),
    ("en", "do not stop", "don't stop", (2, 2, 2, 0, 0), 3),
    ("en", "he cannot", "he can't", (1, 1, 1, 0, 2), 3),
    ("en", "John's car", "Johns car", (1, 1, 1, 0, 2), 2),
    ("en", "going to go", "gonna go", (2, 2, 2, 0, 0), 3),
    ("en", "well-being", "wellbeing", (1, 1, 2, 0, 2), 1),
    ("en", "well being", "well-being", (2, 2, 0, 0, 0), 2),
    ("en", "e-mail", "email", (1, 1, 2, 0, 2), 1),
    ("en", "colour organised centre", "color organized center", (3, 3, 3, 0, 0), 3),
    ("en", "uh yes um", "yes", (2, 2, 2, 0, 0), 1),
    ("en", "Dr. Smith", "doctor smith", (2, 1, 1, 0, 0), 2),
    ("en", "U.S. MRI", "us m r i", (4, 4, 3, 0, 4), 2),
    ("en", "okay", "OK", (1, 1, 1, 0, 1), 1),
    ("en", "HELLO THERE", "hello there", (2, 0, 0, 0, 0), 2),
    ("en", "Hello, there!", "hello there", (2, 2, 0, 0, 0), 2),
    ("en", "give ten units", "give 11 units", (1, 1, 1, 1, 1), 3),
    ("en", "ten", "tin", (1, 1, 1, 1, 1), 1),
    ("en", "", "um", (1, 1, 1, 0, 0), 0),
    ("en", "", "hello", (1, 1, 1, 1, 1), 0),
    ("en", "hello", "", (1, 1, 1, 1, 1), 1),
    ("hi", "नमस्ते दुनिया", "नमस्ते दुनिया", (0, 0, 0, 0, 0), 2),
    ("hi", "नमस्ते दुनिया", "नमस्त दुनिया", (1, 1, 1, 1, 0), 2),
    ("hi", "क्\u200dया", "क्या", (1, 1, 0, 0, 1), 1),
    ("ta", "வணக்கம் உலகம்", "வணக்கம் உலகம", (1, 1, 1, 1, 0), 2),
    ("zh", "今天天气很好我们去公园玩", "今天天气很好我们去公圆玩", (1, 1, 1, 1, 1), 12),
    ("ja", "こんにちは、世界。", "こんにちは世界", (2, 2, 0, 0, 0), 7),
    ("th", "สวัสดีครับ", "สวัสดีคับ", (1, 1, 1, 1, 1), 10),
    ("th", "น้ำ", "น้ำ", (0, 0, 0, 0, 0), 3),
    ("zh", "你好", "您好！", (2, 2, 1, 1, 1), 2),
    ("ar", "مرحبا بالعالم", "مرحبا بالعالم", (0, 0, 0, 0, 0), 2),
    ("ar", "٣ كتب", "3 كتب", (1, 1, 0, 0, 0), 2),
    ("he", "שלום\u200f עולם", "שלום עולם", (1, 1, 0, 0, 1), 2),
    ("fa", "می\u200cخواهم", "میخواهم", (1, 1, 0, 0, 1), 1),
    ("ar", "كتـــاب", "كتاب", (1, 1, 0, 1, 1), 1),
    ("de", "Straße", "STRASSE", (1, 0, 0, 0, 0), 1),
    ("fr", "l\u2019été", "l'été", (1, 1, 0, 0, 0), 1),
    ("tr", "İstanbul", "istanbul", (1, 1, 0, 1, 0), 1),
    ("ko", "안녕하세요 세계", "안녕하세요 세게", (1, 1, 1, 1, 1), 2),
)  # fmt: skip


def test_there_are_sixty_pairs_and_every_normaliser_is_tried() -> None:
    assert len(PAIRS) >= 60
    assert set(NAMES) == set(NORMALIZERS)


@pytest.mark.parametrize(("language", "reference", "hypothesis", "errors", "words"), PAIRS)
def test_each_pair_counts_what_was_heard_wrong(language, reference, hypothesis, errors, words) -> None:
    found = []
    for name in NAMES:
        tokenizer = tokenizer_for(name, language)
        s, d, i, _ = align_tokens(tokenizer.tokens(reference), tokenizer.tokens(hypothesis)).counts
        found.append(s + d + i)
    assert tuple(found) == errors
    by_language = tokenizer_for("auto", language)
    s, d, i, c = align_tokens(by_language.tokens(reference), by_language.tokens(hypothesis)).counts
    assert s + d + c == words
    assert s + d + i == errors[NAMES.index("spoken_english" if language == "en" else "basic")]


@pytest.mark.parametrize(("language", "reference", "hypothesis", "errors", "words"), PAIRS)
def test_a_text_has_no_errors_against_itself_and_sides_can_be_swapped(
    language, reference, hypothesis, errors, words
) -> None:
    tokenizer = tokenizer_for("auto", language)
    one, two = tokenizer.tokens(reference), tokenizer.tokens(hypothesis)
    assert sum(align_tokens(one, one).counts[:3]) == 0
    there, back = align_tokens(one, two).counts, align_tokens(two, one).counts
    assert sum(there[:3]) == sum(back[:3])
