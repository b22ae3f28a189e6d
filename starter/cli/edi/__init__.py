"""Commands about trading partners and their documents."""
