"""Channels: what others send, turned into canonical orders and stock rows.

Whatever is wrong with a record is found here, with its place and the reason, and never stops the
records around it.
"""
