"""A claim that a recogniser fails a group under a condition: planned, registered by its hash, measured, handed over, checked.

The four steps are those of `roomtone bounty`. Nothing here renders: the set comes from the command.
"""
