"""`python -m bench losses`: prints what every loss costs, in passes over memory."""

import argparse

from bench import one_thread


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    losses = commands.add_parser("losses", help="CPU time and peak memory of the losses; the backend is KERAS_BACKEND")
    losses.add_argument("--quick", action="store_true", help="a few rows, few repeats: a look, not a figure")
    losses.add_argument("--only", metavar="TEXT", default="", help="only losses whose name contains TEXT, e.g. dice")
    losses.add_argument("--markdown", action="store_true", help="print Markdown tables")
    losses.add_argument("--no-memory", action="store_true", help="leave out the memory table")
    options = parser.parse_args()

    one_thread.pin()
    from bench import losses

    losses.run(quick=options.quick, only=options.only, markdown=options.markdown, with_memory=not options.no_memory)


if __name__ == "__main__":
    main()
