"""`make demo`: a day of a shop, from an empty folder to an audit, on real servers."""
