"""Inside cells and between them: spread of measured numbers, balance of attributes, shared speakers, words never said, plan and outcome."""
