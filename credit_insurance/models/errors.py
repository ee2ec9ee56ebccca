"""What is tried again when it fails, and what is told of an error that is not."""

from psycopg2 import OperationalError

from odoo.exceptions import ConcurrencyError, RedirectWarning, UserError

# Somebody else changed the same rows: what failed says nothing about the document it failed with.
CONCURRENCY_ERRORS = (OperationalError, ConcurrencyError)


def describe_error(error):
    """The words of an error for people: some carry more than those, such as an action to go to."""
    return error.args[0] if isinstance(error, (UserError, RedirectWarning)) and error.args else str(error)
