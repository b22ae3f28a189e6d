"""Commands about shops that send their orders here."""
