"""Show and rebuild the search index.

`python -m scripts.search` shows the documents and the tickets whose document must be written. `python -m scripts.search
rebuild` marks every ticket and writes all documents, with progress. Searches go on meanwhile, with the documents that
are there. The command can be stopped at any time: the desk's workers go on, and so does `resume`.
"""

from __future__ import annotations

import argparse

from models import migrations
from models.kernel.storage import database
from models.search.index import writing
from scripts import _cli
from scripts.explain import words

_STEPS_SHOWN = 20  # a line of progress after so many transactions


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.search", description=__doc__.splitlines()[0])
    parser.add_argument(
        "verb",
        nargs="?",
        choices=("rebuild", "resume"),
        help="rebuild: write every document again; resume: write those that are marked; default: show the index",
    )
    options = parser.parse_args()
    _cli.connect("search", only_look=True)
    migrations.check()
    if options.verb is None:
        with database.connection():
            state = writing.state()
        written = words.counted(state.documents, "document")
        print(f"{written}, {state.pending} to be written, {state.old} of an earlier form")
        return 0
    if options.verb == "rebuild":
        with database.transaction():
            writing.mark_all()
    print(f"wrote {words.counted(write(), 'document')}")
    return 0


def write() -> int:
    """Write the documents of all marked tickets; return their number."""
    done = steps = 0
    while True:
        with database.transaction():
            count = writing.index_pending(writing.documents_at_once)
        if count == 0:
            break
        done, steps = done + count, steps + 1
        if steps % _STEPS_SHOWN == 0:
            with database.connection():
                left = writing.state().pending
            _cli.progress(f"{done} written, {left} to be written")
    with database.transaction():
        writing.analyse()
    return done


if __name__ == "__main__":
    _cli.end(main)
