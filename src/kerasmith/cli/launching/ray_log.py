"""What workers of Ray print, as it reaches the process that started them."""

import re

from kerasmith.cli.launching.processes import show_with_ranks

# A worker says its rank in its first line.
RANK_LINE = "kerasmith launch: this is rank "
RAY_QUIET: dict[str, str] = {
    "RAY_DEDUP_LOGS": "0",
    "RAY_COLOR_PREFIX": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else each line that a script prints is shown a second time.
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    # Messages of C++ code.
    "TORCH_CPP_LOG_LEVEL": "FATAL",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
# Ray shows an error once more, of each rank, up to an empty line.
_REPETITION = "Error in training function:"
_OF_WORKER = re.compile(r"\(RayTrainWorker(?:\(\w+\))? (pid=\d+(?:, ip=[^)]+)?)\) ?(.*)")


class WorkersOfRay:
    """Shows lines of workers with their ranks, and nothing of what Ray says about itself."""

    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}
        self._skipping: set[str] = set()

    def __call__(self, number: int, line: str, is_error: bool) -> None:
        found = _OF_WORKER.match(line)
        if found is None:
            return
        place, text = found.groups()
        if text.startswith(RANK_LINE):
            self._ranks[place] = int(text.removeprefix(RANK_LINE))
        elif text.strip() == _REPETITION:
            self._skipping.add(place)
        elif place in self._skipping:
            self._skipping -= {place} if not text.strip() else set()
        elif place in self._ranks:
            show_with_ranks(self._ranks[place], text, is_error)
