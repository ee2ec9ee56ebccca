"""The page at ``/``: what the insurer knows, with forms that pull the strings of control_calls.py."""

import json
from string import Template

from .control import COVER_CODES, Control
from .markup import choice, field, folded, form, section, small, table, text, url
from .page_lists import SHOWN, sections
from .store import Row
from .web import Answer
from .webhooks import KINDS as WAKE_UPS

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
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --card: #8881 }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 4rem }
h1 { margin: 0 } h2 { margin: 2.2rem 0 .4rem; font-size: 1.15rem } h2.none { font-weight: normal; font-size: 1rem }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline }
table { border-collapse: collapse; width: 100% }
th { font-size: .8rem; color: var(--quiet); font-weight: 600 }
table.list, table.buyers { table-layout: fixed }
.buyers th:nth-child(1) { width: 6rem } .buyers th:nth-child(3) { width: 6rem } .buyers th:nth-child(5) { width: 27rem }
th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.list th:nth-child(1) { width: 10rem } .list th:nth-child(3) { width: 9rem } .list th:nth-child(4) { width: 33rem }
form { display: flex; flex-wrap: wrap; gap: .3rem; margin: .15rem 0 }
input, select, button { font: inherit; font-size: .9rem; padding: .1rem .4rem }
input { width: 8rem } input.short { width: 4rem } input.long { width: 15rem }
small, .none { color: var(--quiet) } td small { display: block }
.state { display: inline-block; padding: 0 .5rem; border-radius: .6rem; background: var(--card); font-size: .85rem }
details details { margin-left: 1rem } summary { cursor: pointer }
.tools { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 0 2rem }
</style></head><body>
<header><h1>Insurer simulator</h1><span>$clock</span></header>
<p>What the insurer knows. Change something here, then pull in Odoo. Reload to see what Odoo has sent.</p>
$sections
<div class="tools">$tools</div>
</body></html>"""
)


def page(control: Control) -> Answer:
    """The whole page. It shows no secret: neither keys nor what webhooks are signed with."""
    lists = sections(control)
    parts = [lists["requests"], _buyers(control), *(part for name, part in lists.items() if name != "requests")]
    content = PAGE.substitute(
        clock=f"{control.book.now():%Y-%m-%d %H:%M} UTC",
        sections="".join(parts),
        tools=_webhooks(control) + _faults(control) + _clock(),
    )
    return Answer(200, content.encode(), "text/html; charset=utf-8", SECURITY)


# --- Buyers -----------------------------------------------------------------------------------------------------


def _buyers(control: Control) -> str:
    store = control.book.store
    buyers = store.rows("SELECT * FROM buyer ORDER BY buyer_id LIMIT ?", SHOWN)
    count = store.rows("SELECT count(*) AS n FROM buyer")[0]["n"]
    rows = table(("Number", "Buyer", "Grade", "Cover", ""), (_buyer(control, buyer) for buyer in buyers), "buyers")
    more = f"<p class='none'>{SHOWN} of {count} buyers are shown.</p>" if count > SHOWN else ""
    return section("Buyers", rows + more, count)


def _buyer(control: Control, buyer: Row) -> list[str]:
    grades = control.book.grades(buyer["buyer_id"])
    before = small(f"before: {grades[1]['value']}") if len(grades) > 1 else ""
    covers = control.book.store.rows("SELECT * FROM cover WHERE buyer_id = ? ORDER BY id", buyer["buyer_id"])
    return [
        text(buyer["buyer_id"]),
        f"{text(buyer['name'])}{small(' '.join((buyer['country'], buyer['vat_number'])))}",
        f"{text(grades[0]['value']) if grades else '–'}{before}",
        "".join(_cover(cover) for cover in covers) or "–",
        folded("Change", _changes(buyer["buyer_id"], covers[0]["status"] if covers else "APPROVED")),
    ]


def _changes(buyer_id: str, status: str) -> str:
    path = f"buyers/{url(buyer_id)}"
    days = field("inDays", "in days", "short")
    return "".join(
        (
            form(f"{path}/grade", field("value", "Grade", "short", required=True), "Set the grade"),
            form(
                f"{path}/cover", choice("statusCode", "Status", COVER_CODES, status) + field("amount", "Amount"), "Set"
            ),
            form(f"{path}/reduce", field("amount", "Amount", required=True) + days, "Reduce"),
            form(f"{path}/withdraw", days, "Withdraw"),
            form(f"{path}/notify", field("message", "What is reported", "long"), "Report"),
        )
    )


def _cover(cover: Row) -> str:
    amount = f" {cover['amount']} {cover['currency']}" if cover["amount"] is not None else ""
    notices = [f"before: {cover['previous_amount']}"] if cover["previous_amount"] is not None else []
    notices += [_announced(notice) for notice in json.loads(cover["announcements"])]
    ended = [f"until {cover['effective_to']}"] if cover["effective_to"] else []
    state = f"<span class='state'>{text(cover['status'])}</span>"
    return f"<div>{state}{text(amount)}{small('; '.join(ended + notices))}</div>"


def _announced(notice: Row) -> str:
    to = f" to {notice['amount']}" if notice.get("amount") is not None else ""
    return f"{notice['kind'].lower()}{to} announced for {notice['effectiveFrom'] or 'a day not told'}"


# --- Behind the stage -------------------------------------------------------------------------------------------


def _webhooks(control: Control) -> str:
    hooks = control.book.store.rows("SELECT url, interface, secret <> '' AS signed FROM webhook ORDER BY id")
    listed = table(
        ("Address", "Interface", ""),
        (
            [text(_without_path(hook["url"])), text(hook["interface"]), "signed" if hook["signed"] else ""]
            for hook in hooks
        ),
    )
    add = field("url", "Address", "long", required=True) + field("secret", "Secret")
    wake = choice("kind", "Kind", WAKE_UPS) + field("buyerId", "Buyer", "short") + field("requestId", "Number")
    calls = control.deliveries()[-10:]
    made = table(
        ("Made at", "Kind", "Attempt", "Answer"),
        (
            [
                text(call["sent_at"][11:19]),
                text(call["kind"]),
                text(call["attempt"]),
                text(call["status"] or call["error"]),
            ]
            for call in reversed(calls)
        ),
    )
    forms = form("webhooks", add, "Register") + form("webhooks/wake", wake, "Wake up")
    return f"<div>{section('Webhooks', listed + forms + made, len(hooks))}</div>"


def _without_path(address: str) -> str:
    """Scheme and host: the rest may be what keeps the address secret."""
    scheme, _mark, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/…"


def _faults(control: Control) -> str:
    waiting = control.faults.waiting()
    rows = ([text(f.kind), text(f"{f.method} {f.path}"), text(f.times), text(f.status)] for f in waiting)
    kinds = ("drop", "hang", "latency", "status", "truncate", "malformed", "wrong_types", "expire_tokens")
    add = choice("kind", "Kind", kinds) + field("path", "Path", value="/") + field("times", "Times", "short")
    add += field("status", "Status", "short") + field("seconds", "Seconds", "short")
    clear = form("faults/clear", "", "Clear") if waiting else ""
    listed = table(("Kind", "Path", "Times", "Status"), rows)
    return f"<div>{section('Faults', listed + form('faults', add, 'Add') + clear, len(waiting))}</div>"


def _clock() -> str:
    forms = form("clock", field("seconds", "Seconds", required=True), "Let time pass")
    forms += form("tick", "", "Next step of the scenario") + form("claims/advance", "", "Move every claim")
    return f"<div>{section('Time', forms)}</div>"
