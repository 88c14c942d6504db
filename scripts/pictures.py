"""Makes the pictures of README: `python scripts/pictures.py RUN`; Chromium has to be installed.

docs/pictures/report.png is the top of RUN/report.html, docs/pictures/finding.png what `kerasmith check` says to the loss that
README shows.
"""

import io
import os
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
_FINDING = """import keras
from keras import ops


class Contrastive(keras.losses.Loss):
    def call(self, y_true, y_pred):
        near = (1 - y_true) * ops.square(y_pred)
        return ops.mean(near + y_true * ops.square(ops.maximum(1.0 - y_pred, 0.0)))
"""
_COLOURS = 64


def screenshot(page: pathlib.Path, target: pathlib.Path, width: int, height: int) -> None:
    """The top of a page, as a small PNG."""
    size = f"--window-size={width},{height}"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000", size)
    command = ["chromium", *options, f"--screenshot={target}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    Image.open(target).convert("RGB").quantize(_COLOURS).save(target, optimize=True)


def finding(target: pathlib.Path) -> None:
    """What the checker prints, with its colours, up to the end of the first finding."""
    from rich.console import Console
    from rich.text import Text

    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "mine.py").write_text(_FINDING)
        wide = {"FORCE_COLOR": "1", "COLUMNS": "104", "KERAS_BACKEND": "torch"}
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **wide}
        command = [sys.executable, "-m", "kerasmith", "check", "mine.py:Contrastive", "--backends", "torch"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
        shown = done.stdout.split("reproducer")[0].rstrip().rpartition("\n")[0]
        console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print("[bold green]$[/] kerasmith check mine.py:Contrastive\n")
        console.print(Text.from_ansi(shown))
        page = pathlib.Path(folder) / "finding.html"
        page.write_text(console.export_html(inline_styles=True).replace("<body>", '<body style="margin:16px;font-size:14px">'))
        screenshot(page, target, 960, 225)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    finding(PICTURES / "finding.png")
    screenshot(pathlib.Path(sys.argv[1]) / "report.html", PICTURES / "report.png", 1000, 900)
