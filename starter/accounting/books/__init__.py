"""The books as other programs read them: formatting, and nothing else."""
