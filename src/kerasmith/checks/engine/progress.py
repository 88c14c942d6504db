"""What the workers are doing, on one line of a terminal; nothing where standard error is a file."""

import contextlib

from rich.console import Console


@contextlib.contextmanager
def progress(target):
    """Gives a function for `reports_of(on_event=...)`; the line is gone when the block ends."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda backend, event: None
        return
    doing, names = {}, {}

    def show(backend, event):
        if event["event"] == "components":
            names[backend] = event["names"]
        elif event["event"] == "importing":
            doing[backend] = "importing"
        elif event["event"] == "begin":
            doing[backend] = f"{names[backend][event['index']]} {event['id']}"
        elif event["event"] == "done":
            doing[backend] = "done"
        status.update(f"{target}  " + "  ".join(f"[bold]{name}[/] {text}" for name, text in doing.items()))

    with console.status(f"{target}  starting") as status:
        yield show
