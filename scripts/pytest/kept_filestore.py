"""pytest plugin: what one worker stores is not swept away by another.

pytest-odoo gives each worker of pytest-xdist a database of its own and all of them one filestore. At the end of every
class Odoo's test base deletes the files that its own database does not know, and with them those of the others, who
then serve empty files: a page without its scripts, an attachment without content. The filestore goes with the
database at the next run.
"""


def pytest_collection_finish(session):
    from odoo.tests.common import TransactionCase  # not before pytest-odoo has configured Odoo

    TransactionCase._gc_filestore = classmethod(lambda cls: None)
