"""EDI with trading partners in X12: who they are, and what their documents and ours say."""
