"""The world outside of a workflow, in memory: a fake for each activity, and people who act."""
