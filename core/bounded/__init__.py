"""Readers that a stranger's file cannot make slow, large or wrong: lines, YAML, files of any size, texts of Parquet files."""
