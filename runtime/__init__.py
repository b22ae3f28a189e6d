"""Shared by the worker and the programs that speak to it: settings, and the way to the servers."""
