"""Which machines a recording holds: periodic, steady, aperiodic, two at once."""
