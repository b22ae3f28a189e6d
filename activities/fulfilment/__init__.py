"""Pick, pack, ship and deliver, and what a carrier must offer."""
