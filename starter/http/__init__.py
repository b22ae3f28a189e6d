"""The HTTP door: thin over `starter.service`. No rule of an order lives here."""
