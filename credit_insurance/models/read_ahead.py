"""Reading the next page of a list while one is written."""

import threading
from concurrent.futures import ThreadPoolExecutor


def read_ahead(ask, token, go_on=lambda page: True):
    """Yield ``(token, page)`` from ``token`` to the end; never more than one page is waiting to be written.

    All pages are asked for in one thread beside the caller's, so ``ask`` must not touch the caller's database
    connection. What it raises comes out where its page would have come: after the page before it was worked on.

    :param ask: gives the page of a token; the page knows the ``next_token``, ``None`` on the last
    :param go_on: asked with a page before the one after it is read; once it says no, this page is the last to come
    """
    with ThreadPoolExecutor(1, initializer=_name_like, initargs=(threading.current_thread(),)) as pool:
        coming = pool.submit(ask, token)
        while coming:
            page = coming.result()
            coming = pool.submit(ask, page.next_token) if page.next_token is not None and go_on(page) else None
            yield token, page
            token = page.next_token


def _name_like(caller):
    """Log lines of the thread name the database of its caller."""
    threading.current_thread().dbname = getattr(caller, "dbname", None)
