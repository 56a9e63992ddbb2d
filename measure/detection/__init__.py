"""Which machines sound in a recording: periodic, steady, aperiodic, two at once."""
