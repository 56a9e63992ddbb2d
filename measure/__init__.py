"""Recordings of a place, measured: its equipment, noises and rooms as presets, and a scenario of all of them.

>>> import numpy as np
>>> from roomtone.measure import measure_equipment
>>> time_s = np.arange(4 * 16000) / 16000
>>> hum = 0.1 * np.sin(2 * np.pi * 120 * time_s) + 1e-4 * np.random.default_rng(0).standard_normal(time_s.size)
>>> [(machine.kind, round(machine.fundamental_hz)) for machine in measure_equipment(hum, 16000).machines]
[('steady', 120)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.core.facade import lazy_names

if TYPE_CHECKING:
    from roomtone.measure.detection.machines import measure_equipment
    from roomtone.measure.machine import EquipmentFound, Machine
    from roomtone.measure.noise import NoiseFound, measure_noise, noise_op
    from roomtone.measure.presets import machine_op, preset_yaml
    from roomtone.measure.recording import PlaceRecording, read_recording
    from roomtone.measure.room import RoomFound, measure_room, room_op
    from roomtone.measure.scenario import PlaceFound, measure_place
    from roomtone.measure.settings import MeasureSettings
    from roomtone.measure.variation import variants
    from roomtone.measure.write_presets import WrittenPresets, measure_recording

#: Public name -> the module that has it; found on first use, so that importing the package costs nothing.
_HOMES = {
    "EquipmentFound": "roomtone.measure.machine",
    "Machine": "roomtone.measure.machine",
    "MeasureSettings": "roomtone.measure.settings",
    "NoiseFound": "roomtone.measure.noise",
    "PlaceFound": "roomtone.measure.scenario",
    "PlaceRecording": "roomtone.measure.recording",
    "RoomFound": "roomtone.measure.room",
    "WrittenPresets": "roomtone.measure.write_presets",
    "machine_op": "roomtone.measure.presets",
    "measure_equipment": "roomtone.measure.detection.machines",
    "measure_noise": "roomtone.measure.noise",
    "measure_place": "roomtone.measure.scenario",
    "measure_recording": "roomtone.measure.write_presets",
    "measure_room": "roomtone.measure.room",
    "noise_op": "roomtone.measure.noise",
    "preset_yaml": "roomtone.measure.presets",
    "read_recording": "roomtone.measure.recording",
    "room_op": "roomtone.measure.room",
    "variants": "roomtone.measure.variation",
}
__all__ = [
    "EquipmentFound",
    "Machine",
    "MeasureSettings",
    "NoiseFound",
    "PlaceFound",
    "PlaceRecording",
    "RoomFound",
    "WrittenPresets",
    "machine_op",
    "measure_equipment",
    "measure_noise",
    "measure_place",
    "measure_recording",
    "measure_room",
    "noise_op",
    "preset_yaml",
    "read_recording",
    "room_op",
    "variants",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
