"""Readers that a stranger's file cannot make slow, large or wrong: lines, YAML, the footer of a Parquet file."""
