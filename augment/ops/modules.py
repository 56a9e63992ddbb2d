"""Where the ops of this package are defined."""

#: The modules of this package that define ops; `op_table` imports them.
OP_MODULES = (
    "ops.channel.audiomentations",
    "ops.channel.chain",
    "ops.channel.codec",
    "ops.channel.dropouts",
    "ops.channel.dynamics",
    "ops.channel.filters",
    "ops.channel.near_talker",
    "ops.channel.packet_loss",
    "ops.channel.recorded_device",
    "ops.channel.self_noise",
    "ops.channel.streams.coded_stream",
    "ops.channel.suppression",
    "ops.channel.telephone_filter",
    "ops.sources.babble",
    "ops.sources.echo",
    "ops.sources.mix",
    "ops.sources.noise",
    "ops.sources.pass_by",
    "ops.sources.periodic_tone",
    "ops.sources.recorded_cycle",
    "ops.sources.recordings",
    "ops.sources.wind",
    "rooms.op",
)
