"""What all commands share: options, output, tables and pages."""
