"""Channels: files of others, turned into canonical orders and stock rows.

Every fault of a record is found here, with its place and the reason, and never stops the records
around it.
"""
