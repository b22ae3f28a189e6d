"""Orders of the demo that show one thing each: what goes wrong after the sale, and kinds of goods.

They come by a channel of their own, the service desk, in the middle of the day. The simulated
warehouse and carriers leave them alone: each story plays its own people, one step after the other,
so that it always goes the same way.
"""
