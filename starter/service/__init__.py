"""One typed door per capability: the command line, HTTP and pages all come in here."""
