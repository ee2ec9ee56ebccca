"""What `make story` feeds to an Odoo shell, with this folder's parent on the Python path."""

import sys

from story import tell

sys.exit(tell(env))  # noqa: F821 (the shell's environment)
