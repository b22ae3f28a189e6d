"""`python -m starter.cli`: the command line without its installed script."""

from starter.cli.program import main

main()
