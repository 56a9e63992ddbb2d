"""The profile of a matrix: spread of measured numbers, balance of attributes, shared speakers, words never said, plan and outcome."""
