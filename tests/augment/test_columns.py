"""Every column that a render writes is declared in the schema; the documentation's page of columns is built from there."""

from roomtone.augment import Condition
from roomtone.core.dataset.columns import COLUMNS


def test_what_a_render_measures_is_declared(speech):
    made = Condition("pink@10dB+gsm").render(speech, 16000, key=0)
    assert set(made.measured) - set(COLUMNS) == set()
    assert {"output_snr_db", "measured_delay_samples", "active_level_spread_db", "unmeasured"} <= set(made.measured)
