"""axe-core, the checker of accessibility: the newest one of npm where there is one, else the one in a wheel."""

import importlib.util
import os
import pathlib
from typing import Any

from tests.support.browser import Browser


def script() -> pathlib.Path | None:
    """Its file: `$AXE_CORE`, `node_modules/axe-core/axe.min.js`, or that of axe-core-python; None without any."""
    wheel = importlib.util.find_spec("axe_core_python")
    folders = [] if wheel is None else list(wheel.submodule_search_locations or ())
    places = [os.environ.get("AXE_CORE"), "node_modules/axe-core/axe.min.js", *(f"{folder}/axe.min.js" for folder in folders)]
    return next((pathlib.Path(place) for place in places if place and pathlib.Path(place).is_file()), None)


def findings(tab: Browser, path: pathlib.Path) -> list[Any]:
    """[[rule, how serious, the first elements]] of what is serious on the page that is open."""
    tab.run(f"{path.read_text(encoding='utf-8')}; 1")
    return tab.run(
        "axe.run(document).then(found => found.violations.filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => [one.id, one.impact, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"
    )
