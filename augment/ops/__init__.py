"""All ops: importing this package fills the closed table."""

from roomtone.augment.ops import (  # noqa: F401 - imported to register their ops
    audiomentations_op,
    codec,
    dynamics,
    equipment,
    filters,
    handset,
    loss,
    noise,
    room,
)
