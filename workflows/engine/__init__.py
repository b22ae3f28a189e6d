"""How a step runs, and how a workflow goes on."""
