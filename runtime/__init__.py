"""Shared by worker and starter: settings, ways to the servers, streams, logs, telemetry."""
