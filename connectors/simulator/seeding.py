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


def made_up_seed(buyers: int) -> Seed:
    """A policy and ``buyers`` plain buyers with grade and cover, always the same ones."""
    return {
        "policies": named_seed("demo")["policies"],
        "buyers": [
            {
                "buyerId": f"B{number:07d}",
                "name": f"Buyer {number}",
                "country": ("FR", "DE", "IT", "ES", "PL")[number % 5],
                "grades": [{"value": str(1 + number % 9), "gradedOn": -(number % 300)}],
                "cover": {"statusCode": "APPROVED", "amount": f"{1000 * (1 + number % 200)}.00", "effectiveFrom": -100},
            }
            for number in range(1, buyers + 1)
        ],
    }


def load(store: Store, seed: Seed, today: date) -> None:
    """Add the seed to the book; what it names anew replaces what was there."""
    policies = {policy["policyNumber"]: policy for policy in seed["policies"]}
    rows = [{"number": number, "details": json.dumps(_policy(policy, today))} for number, policy in policies.items()]
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


def _policy(policy: Row, today: date) -> Row:
    return {**policy, "startsOn": day(policy["startsOn"], today), "endsOn": day(policy.get("endsOn"), today)}


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
