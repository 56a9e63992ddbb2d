"""The recorded cycle of a machine: its own sound over one period, cleaned with the help of all its repeats."""
