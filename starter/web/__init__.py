"""Pages for people, made on the server: they work without a script, and load nothing from others.

A page asks the same doors as a command does, and shows what they answer in its reader's language.
"""
