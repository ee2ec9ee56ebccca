"""`python3 scripts/dev …`: makes the folder above importable, so that the modules here form one package, `dev`."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 (a person may well start it with an older one)
    sys.exit(
        f"error: Python 3.11 or later is needed, this is {sys.version.split()[0]}. Name another with PYTHON=python3.11"
    )

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from dev.cli import main  # noqa: E402 (needs the path set above)

sys.exit(main())
