"""Papers of a warehouse as PDF: pick lists, and the slips that go into parcels."""
