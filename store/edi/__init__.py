"""Trading partners, and every interchange that came from one or goes to one."""
