"""What an exception says, in one line."""


def first_line(error):
    """The first line of a message; of one that Keras wraps around another, the line of the other."""
    text = str(error)
    wrapped = text.rpartition("Exception encountered:")[2] if "Exception encountered:" in text else text
    return (wrapped.strip().splitlines() or ["(no message)"])[0][:200]
