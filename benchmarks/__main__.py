"""`python -m benchmarks losses` and the like: prints what each part costs, as a multiple of a floor."""

import argparse
import importlib

from benchmarks import one_thread

TOPICS = {
    "losses": "CPU time and peak memory of the losses; the backend is KERAS_BACKEND",
    "label_checks": "what it costs a loss to check its labels; the backend is KERAS_BACKEND",
    "metrics": "CPU time and peak memory of one update of the metrics; the backend is KERAS_BACKEND",
    "perceptual": "CPU time and peak memory of the perceptual loss; the backend is KERAS_BACKEND",
    "edges": "CPU time of EdgeEnhancement beside kornia and tf.image; the backend is KERAS_BACKEND",
    "callbacks": "CPU time that each callback adds to a training step; the backend is KERAS_BACKEND",
    "resume": "how long training waits for a checkpoint; the backend is KERAS_BACKEND",
    "replicas": "exchanges, bytes and CPU time of a step in two processes of PyTorch",
    "scale": "what 8, 256 and 4,096 processes would do to data order, resume and exchanges",
    "sampling": "CPU time of an epoch's order by weights",
    "physics": "errors of learned solutions and CPU time of a step, beside DeepXDE; the backend is KERAS_BACKEND",
    "objectives": "CPU time of training steps with an Objective; the backend is KERAS_BACKEND",
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    topics = parser.add_subparsers(dest="topic", required=True)
    for name, text in TOPICS.items():
        topic = topics.add_parser(name, help=text)
        topic.add_argument("--quick", action="store_true", help="a few rows, few repeats: a look, not a figure")
        topic.add_argument("--only", metavar="TEXT", default="", help="only rows whose name contains TEXT, e.g. dice")
        topic.add_argument("--markdown", action="store_true", help="print Markdown tables")
        topic.add_argument("--no-memory", action="store_true", help="leave out peak memory")
    options = parser.parse_args()

    one_thread.pin()
    # One topic a process: each imports what it compares with.
    run = importlib.import_module(f"benchmarks.{options.topic}").run
    run(quick=options.quick, only=options.only, markdown=options.markdown, with_memory=not options.no_memory)


if __name__ == "__main__":
    main()
