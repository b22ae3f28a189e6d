"""The sandbox companies' records, and the faults that they were told to show."""
