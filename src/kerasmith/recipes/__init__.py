"""Runnable jobs on real data, one module each with a function `run(*, out, epochs, seed, overwrite, console)`.

This file imports nothing heavy: the command line reads it before a backend is chosen.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Demo:
    """A job that `kerasmith demo NAME` runs.

    Attributes:
        module: where its `run` function is.
        description: one line for the list of demos.
        extra: the extra of kerasmith that installs its data.
    """

    module: str
    description: str
    extra: str = "demo"


DEMOS = {
    "nuclei": Demo(
        module="kerasmith.recipes.nuclei",
        description="find and separate cell nuclei in a fluorescence image (U-Net, about 2 minutes on 2 cores)",
    ),
}
