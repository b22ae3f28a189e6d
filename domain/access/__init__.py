"""Who may come in from outside: keys of other programs, and what each of them may do."""
