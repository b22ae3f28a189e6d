"""People who work with the screens: who they are, their roles, and how they sign in."""
