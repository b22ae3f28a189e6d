"""The books in other programs' formats: formatting, and nothing else."""
