"""What the sandbox companies keep, and the faults they were told to show."""
