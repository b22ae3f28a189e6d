"""Records about orders: the end, answers, holds, and attention."""
