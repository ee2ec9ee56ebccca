"""Filling the book: from a seed file, from data of the same shape, or with many made-up buyers.

A seed is ``{"policies": […], "buyers": […]}`` as in ``seeds/demo.json``. A date is ``"YYYY-MM-DD"`` or a number of
days from the day of seeding (-3 is three days ago), so that a demonstration is fresh whenever it is given. A buyer's
``grades`` are in order, the last one current; its ``cover`` belongs to the first policy unless it names another.
"""

import json
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from .store import Row, Store
from .web import Refusal

Seed = dict[str, Any]


def named_seed(name: str) -> Seed:
    """The seed in ``seeds/<name>.json``."""
    known = {entry.name.removesuffix(".json"): entry for entry in files(__package__).joinpath("seeds").iterdir()}
    if name not in known:
        raise Refusal(422, "no_such_seed", f"There is no seed {name!r}; there are: {', '.join(sorted(known))}")
    seed: Seed = json.loads(known[name].read_text(encoding="utf-8"))
    return seed


def generate(store: Store, buyers: int, today: date) -> None:
    """Add a policy and ``buyers`` plain buyers with grade and cover, always the same ones, made by SQL alone."""
    policy = named_seed("demo")["policies"][0]
    rows = "WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < ?)"
    begun = (today - timedelta(days=100)).isoformat()
    with store.transaction():
        store.insert("policy", [_row_of_policy(policy, today)], replace=True)
        store.run("DELETE FROM grade WHERE buyer_id GLOB 'B[0-9][0-9][0-9][0-9][0-9][0-9][0-9]'")
        store.run(
            f"INSERT OR REPLACE INTO buyer (buyer_id, name, country) {rows} SELECT printf('B%07d', n), 'Buyer ' || n,"
            " substr('FRDEITESPL', 1 + 2 * (n % 5), 2) FROM made",
            buyers,
        )
        store.run(
            f"INSERT INTO grade (buyer_id, value, graded_on) {rows} SELECT printf('B%07d', n),"
            " CAST(1 + n % 9 AS TEXT), date(?, '-' || (n % 300) || ' days') FROM made",
            *(buyers, today.isoformat()),
        )
        store.run(
            "INSERT OR REPLACE INTO cover (buyer_id, policy_number, status, amount, requested_amount, currency,"
            f" insured_percentage, effective_from, decided_on) {rows} SELECT printf('B%07d', n), ?, 'APPROVED',"
            " (1000 * (1 + n % 200)) || '.00', (1000 * (1 + n % 200)) || '.00', ?, ?, ?, ? FROM made",
            *(buyers, policy["policyNumber"], policy["currency"], policy["insuredPercentage"], begun, begun),
        )


def change_share(store: Store, share: float, today: date, status: str, factor: float, grade_by: int) -> int:
    """Change every n-th cover, n being 1 / ``share``: its status, its amount ``factor`` times what it was, the buyer's
    grade ``grade_by`` steps worse (where it is a number). Gives the number of covers changed."""
    if not 0 < share <= 1:
        raise Refusal(422, "bad_share", "share must be more than 0 and at most 1")
    every = round(1 / share)
    with store.transaction():
        if grade_by:
            store.run(
                "INSERT INTO grade (buyer_id, value, graded_on) SELECT g.buyer_id,"
                " CAST(max(1, min(10, CAST(g.value AS INTEGER) + ?)) AS TEXT), ? FROM cover c"
                " JOIN grade g ON g.id = (SELECT max(id) FROM grade l WHERE l.buyer_id = c.buyer_id)"
                " WHERE c.id % ? = 0 AND g.value GLOB '[0-9]*'",
                *(grade_by, today.isoformat(), every),
            )
        if status or factor != 1:
            store.run(
                "UPDATE cover SET previous_amount = amount, amount = printf('%.2f', amount * ?),"
                " status = coalesce(nullif(?, ''), status), decided_on = ? WHERE id % ? = 0",
                *(factor, status, today.isoformat(), every),
            )
        counted = store.row("SELECT count(*) AS n FROM cover WHERE id % ? = 0", every)
    return int(counted["n"]) if counted else 0


def load(store: Store, seed: Seed, today: date) -> None:
    """Add the seed to the book; what it names anew replaces what was there."""
    policies = {policy["policyNumber"]: policy for policy in seed["policies"]}
    rows = [_row_of_policy(policy, today) for policy in policies.values()]
    buyers = seed["buyers"]
    ids = [(buyer["buyerId"],) for buyer in buyers]
    with store.transaction():
        store.insert("policy", rows, replace=True)
        store.insert("buyer", [_buyer(buyer) for buyer in buyers], replace=True)
        for (buyer_id,) in ids:
            store.run("DELETE FROM grade WHERE buyer_id = ?", buyer_id)
        store.insert("grade", [row for buyer in buyers for row in _grades(buyer, today)])
        default: Row = next(iter(policies.values()), {})
        covers = [_cover(buyer, policies, default, today) for buyer in buyers if "cover" in buyer]
        store.insert("cover", covers, replace=True)


def day(value: object, today: date) -> str | None:
    """A date of a seed or of a control call, as ISO text."""
    if value is None:
        return None
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return (today + timedelta(days=value)).isoformat()
        return date.fromisoformat(str(value)).isoformat()
    except (ValueError, OverflowError) as exc:
        raise Refusal(422, "bad_date", f"{value!r} is neither YYYY-MM-DD nor a number of days") from exc


def announcements(values: list[Row], today: date) -> list[Row]:
    """Announcements with their dates resolved."""
    return [
        {
            "kind": value["kind"],
            "effectiveFrom": day(value["effectiveFrom"], today),
            "announcedOn": day(value.get("announcedOn", 0), today),
            "amount": value.get("amount"),
        }
        for value in values
    ]


def _row_of_policy(policy: Row, today: date) -> Row:
    days = {"startsOn": day(policy["startsOn"], today), "endsOn": day(policy.get("endsOn"), today)}
    return {"number": policy["policyNumber"], "details": json.dumps({**policy, **days})}


def _buyer(buyer: Row) -> Row:
    address = buyer.get("address", {})
    return {
        "buyer_id": buyer["buyerId"],
        "name": buyer["name"],
        "country": buyer["country"],
        "vat_number": buyer.get("vatNumber", ""),
        "registration_number": buyer.get("registrationNumber", ""),
        "street": address.get("street", ""),
        "postal_code": address.get("postalCode", ""),
        "city": address.get("city", ""),
        "own_reference": buyer.get("ownReference", ""),
    }


def _grades(buyer: Row, today: date) -> list[Row]:
    return [
        {"buyer_id": buyer["buyerId"], "value": grade["value"], "graded_on": day(grade["gradedOn"], today)}
        for grade in buyer.get("grades", [])
    ]


def _cover(buyer: Row, policies: dict[str, Row], default: Row, today: date) -> Row:
    cover = buyer["cover"]
    policy = policies[cover["policyNumber"]] if "policyNumber" in cover else default
    start = day(cover.get("effectiveFrom"), today)
    return {
        "buyer_id": buyer["buyerId"],
        "policy_number": policy["policyNumber"],
        "status": cover["statusCode"],
        "amount": cover.get("amount"),
        "requested_amount": cover.get("requestedAmount", cover.get("amount")),
        "previous_amount": cover.get("previousAmount"),
        "currency": cover.get("currency", policy["currency"]),
        "insured_percentage": cover.get("insuredPercentage", policy["insuredPercentage"]),
        "effective_from": start,
        "effective_to": day(cover.get("effectiveTo"), today),
        "decided_on": day(cover["decidedOn"], today) if "decidedOn" in cover else start,
        "announcements": json.dumps(announcements(cover.get("announcements", []), today)),
        "conditions": json.dumps(cover.get("conditions", [])),
    }
