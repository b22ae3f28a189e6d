"""Pick, pack, ship and deliver, and the protocol of a carrier."""
