"""What customers are told by mail: which events, in which words, and as which bytes."""
