"""One contender with one problem, in a process of its own: `python -m benchmarks.physics.worker kerasmith burgers`.

Reads a line of JSON, [method, arguments], and answers with one, [CPU seconds, result].
"""

import json
import sys
import time

from benchmarks import one_thread


def main():
    contender, problem = sys.argv[1:3]
    answers = sys.stdout
    # Libraries print what they like.
    sys.stdout = sys.stderr
    if contender == "kerasmith":
        from benchmarks.physics.ours import Ours as Contender
    else:
        from benchmarks.physics.of_deepxde import DeepXDE as Contender
    from benchmarks.physics.problems import load

    subject = Contender(load(problem))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        start = time.process_time()
        result = getattr(subject, method)(*arguments)
        print(json.dumps([time.process_time() - start, result]), file=answers, flush=True)


if __name__ == "__main__":
    one_thread.pin()
    main()
