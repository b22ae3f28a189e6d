"""What the audit checks, a module for each capability: queries, and a sentence for each."""
