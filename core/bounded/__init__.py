"""Readers that a stranger's file cannot make slow, large or wrong: lines and YAML."""
