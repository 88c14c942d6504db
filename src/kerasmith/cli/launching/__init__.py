"""`kerasmith launch`: starts a script several times as one training, and ends all of it when one process fails."""
