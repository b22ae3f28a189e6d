"""How a program listens for HTTP, and how it stops: for the API and for the codec server."""
