"""The page at ``/``: what the insurer knows, with forms that pull the strings of control.py."""

import html
import json
from collections.abc import Iterable
from string import Template
from urllib.parse import quote

from .book import number
from .control import COVER_CODES, DECISIONS, Control
from .store import Row
from .web import Answer

SHOWN = 200  # rows of a table; a seed for measurements has 100,000
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
PAGE = Template(
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Insurer simulator</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222 }
h2 { margin: 2rem 0 .5rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums } form { display: inline-flex; gap: .3rem }
input { width: 7rem } input.short { width: 3rem } small { color: #666 } .none { color: #666 }
</style></head><body>
<h1>Insurer simulator</h1>
<p>What the insurer knows. Change something here, then pull in Odoo. Reload to see what Odoo has sent.</p>
<h2>Buyers</h2>$buyers
<h2>Cover requests</h2>$requests
<h2>Claims</h2>$claims
<h2>Overdue notices</h2>$overdues
</body></html>"""
)


def page(control: Control) -> Answer:
    content = PAGE.substitute(
        buyers=_buyers(control),
        requests=_table(
            ("Number", "Request", "Status", "Decide"), map(_request, _submissions(control, "cover_request"))
        ),
        claims=_table(("Number", "Claim", "Status", "Move"), map(_claim, _submissions(control, "claim"))),
        overdues=_table(("Number", "Notice", "Status", ""), map(_notice, _submissions(control, "overdue"))),
    )
    return Answer(200, content.encode(), "text/html; charset=utf-8", SECURITY)


def _buyers(control: Control) -> str:
    store = control.book.store
    buyers = store.rows("SELECT * FROM buyer ORDER BY buyer_id LIMIT ?", SHOWN)
    heads = ("Id", "Buyer", "Grade", "Cover", "Change the grade", "Change the cover")
    table = _table(heads, (_buyer(control, buyer) for buyer in buyers))
    count = store.rows("SELECT count(*) AS n FROM buyer")[0]["n"]
    return table + (f"<p class='none'>{SHOWN} of {count} buyers are shown.</p>" if count > SHOWN else "")


def _buyer(control: Control, buyer: Row) -> list[str]:
    path = f"buyers/{_url(buyer['buyer_id'])}"
    grades = control.book.grades(buyer["buyer_id"])
    before = f"&nbsp;<small>before:&nbsp;{_text(grades[1]['value'])}</small>" if len(grades) > 1 else ""
    covers = control.book.store.rows("SELECT * FROM cover WHERE buyer_id = ? ORDER BY id", buyer["buyer_id"])
    current = covers[0]["status"] if covers else "APPROVED"
    codes = "".join(f"<option{' selected' * (code == current)}>{code}</option>" for code in COVER_CODES)
    cover_form = f'<select name="statusCode" aria-label="Status">{codes}</select>{_input("amount", "Amount")}'
    return [
        _text(buyer["buyer_id"]),
        f"{_text(buyer['name'])} <small>{_text(buyer['country'])} {_text(buyer['vat_number'])}</small>",
        f"{_text(grades[0]['value']) if grades else '–'}{before}",
        "<br>".join(_cover(cover) for cover in covers) or "–",
        _form(f"{path}/grade", _input("value", "Grade", "short", required=True), "Set"),
        _form(f"{path}/cover", cover_form, "Set"),
    ]


def _cover(cover: Row) -> str:
    amount = f"{cover['amount']} {cover['currency']}" if cover["amount"] is not None else ""
    notices = [f"before: {cover['previous_amount']}"] if cover["previous_amount"] is not None else []
    notices += [
        f"{notice['kind'].lower()} announced for {notice['effectiveFrom']}"
        for notice in json.loads(cover["announcements"])
    ]
    return f"{_text(cover['status'])} {_text(amount)} <small>{_text('; '.join(notices))}</small>"


def _submissions(control: Control, kind: str) -> list[Row]:
    return control.book.submissions(kind)[-SHOWN:]


def _request(submission: Row) -> list[str]:
    wanted = json.loads(submission["body"])
    name = number(submission)
    options = "".join(f"<option>{decision}</option>" for decision in DECISIONS)
    choose = f'<select name="decision" aria-label="Decision">{options}</select>'
    fields = choose + _input("amount", "Amount") + _input("message", "Message")
    what = f"{wanted['kind']} {wanted.get('amount') or ''} {wanted['currency']} for buyer {wanted['buyerId']}"
    open_form = _form(f"cover-requests/{_url(name)}/decide", fields, "Decide")
    return _sent(submission, what, open_form if submission["status"] == "PENDING" else "")


def _claim(submission: Row) -> list[str]:
    claim = json.loads(submission["body"])
    path = f"claims/{_url(number(submission))}/advance"
    what = f"{claim['cause']} {claim['total']} {claim['currency']}, buyer {claim['buyerId']}"
    forms = (
        _form(path, "", "Next step") + " " + _form(path, '<input type="hidden" name="to" value="REFUSED">', "Refuse")
    )
    return _sent(submission, what, forms if submission["status"] not in ("PAID", "REFUSED") else "")


def _notice(submission: Row) -> list[str]:
    notice = json.loads(submission["body"])
    return _sent(submission, f"{len(notice['invoices'])} invoices, buyer {notice['buyerId']}", "")


def _sent(submission: Row, what: str, forms: str) -> list[str]:
    what = f"{_text(what)} <small>{_text(submission['reference'])}</small>"
    return [_text(number(submission)), what, _text(submission["status"]), forms]


# --- Markup: arguments that are markup already come from here, everything else goes through ``_text`` -------------


def _text(value: object) -> str:
    return html.escape(str(value))


def _url(value: str) -> str:
    return quote(value, safe="")


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return "<p class='none'>None yet.</p>"
    return f"<table><tr>{''.join(f'<th>{_text(head)}</th>' for head in heads)}</tr>{body}</table>"


def _input(name: str, label: str, kind: str = "", *, required: bool = False) -> str:
    must = " required" if required else ""
    return f'<input name="{name}" placeholder="{label}" aria-label="{label}" class="{kind}"{must}>'


def _form(path: str, fields: str, button: str) -> str:
    return f'<form method="post" action="/_control/{_text(path)}">{fields}<button>{button}</button></form>'
