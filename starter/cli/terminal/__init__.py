"""Options, output, tables and pages that all commands share."""
