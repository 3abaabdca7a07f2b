"""Check the Kubernetes manifests without a cluster. Exit code 0: no findings, 1: findings, 2: the
base cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.check_manifests.documents import ManifestUnreadable
from scripts.check_manifests.facts import load_facts
from scripts.check_manifests.folder import find_renderer
from scripts.check_manifests.report import check_folder

CHECKOUT = Path(__file__).resolve().parents[2]


def find_crd_dir(environ: dict[str, str] | None = None) -> Path | None:
    """$CRD_DIR, else ../shared/crds beside the checkout; None when the folder is absent."""
    named = (dict(os.environ) if environ is None else environ).get("CRD_DIR")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "crds"
    return folder if folder.is_dir() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.check_manifests", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=CHECKOUT / "knative", help="folder of the manifests (default: knative/)"
    )
    parser.add_argument("--strict", action="store_true", help="fail when the CRD schemas are missing")
    options = parser.parse_args(arguments)
    try:
        report = check_folder(options.folder.resolve(), load_facts(), crd_dir=find_crd_dir(), renderer=find_renderer())
    except ManifestUnreadable as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"the check needs {error.name}: ./scripts/test or `make hooks` installs requirements-dev.txt",
            file=sys.stderr,
        )
        return 2
    for finding in report.findings:
        print(finding)
    for line in report.summary():
        print(line)
    if options.strict and report.objects_unchecked:
        print(
            "--strict: set CRD_DIR to a folder with the CRD schemas, and install requirements-dev.txt",
            file=sys.stderr,
        )
        return 1
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
