"""One contender with one problem, in a process of its own: `python -m benchmarks.physics.worker kerasmith burgers 0`.

The last one is the seed. Reads a line of JSON, [method, arguments], and answers with one, [CPU seconds, result].
"""

import dataclasses
import json
import sys
import time

from benchmarks import one_thread


def main():
    contender, problem, seed = sys.argv[1:4]
    answers = sys.stdout
    # Libraries print what they like.
    sys.stdout = sys.stderr
    if contender == "kerasmith":
        from benchmarks.physics.ours import Ours as Contender
    else:
        from benchmarks.physics.of_deepxde import DeepXDE as Contender
    from benchmarks.physics.problems import load

    subject = Contender(dataclasses.replace(load(problem), seed=int(seed)))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        start = time.process_time()
        result = getattr(subject, method)(*arguments)
        print(json.dumps([time.process_time() - start, result]), file=answers, flush=True)


if __name__ == "__main__":
    one_thread.pin()
    main()
