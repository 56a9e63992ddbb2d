"""Every column that a render writes is declared in the schema and explained in the README."""

import re
from pathlib import Path

from roomtone.augment import Condition
from roomtone.core.dataset.columns import COLUMNS

README = Path(__file__).parents[2] / "README.md"


def test_every_column_of_the_schema_is_in_the_readmes_table():
    rows = [line.split("|")[1] for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    assert set(COLUMNS) - named == set()


def test_what_a_render_measures_is_declared(speech):
    made = Condition("pink@10dB+gsm").render(speech, 16000, key=0)
    assert set(made.measured) - set(COLUMNS) == set()
    assert {"output_snr_db", "measured_delay_samples", "active_level_spread_db", "unmeasured"} <= set(made.measured)
