"""What drafts took of posted journal items: Odoo leaves a match as it is when one of its sides is reset to draft.

    draft, matched  ->  its matches  ->  their exchange differences, as if they were drafts too  ->  posted items

For Odoo such an item is paid. Here only what is posted settles anything: whoever reads a residual adds what stands here
to it. Few drafts are matched, so that a partial index finds them all.
"""

from odoo.tools import SQL

from .sql_functions import InFunction, Step

MATCHED_DRAFTS = "credit_insurance_matched_drafts"
# Amounts have the sign of the item: above zero for what is owed, below zero for a credit.
TAKEN = "item_id int, amount numeric, booked numeric"
TAKEN_COLUMNS = SQL(TAKEN)
MATCH = "item_id int, amount numeric, booked numeric, exchange_id int"

# The index of the same condition serves only statements that use these words. An import marks items before it matches
# them, and those marks begin with an I.
MATCHED_DRAFT = "parent_state = 'draft' AND left(matching_number, 1) <> 'I'"


def draft_step(companies):
    """The drafts that are matched."""
    query = SQL("SELECT id FROM account_move_line WHERE %s AND company_id = ANY(%s)", SQL(MATCHED_DRAFT), companies)
    return Step("draft", "id int", query)


def taken_steps(place):
    """What drafts took of the items of partners and companies that are steps before. Planning a call takes longer than
    finding out that it would find nothing: few buyers have such items."""
    beside = SQL(
        """
        SELECT l.id
          FROM account_move_line l
         WHERE l.id = ANY(ARRAY(SELECT item_id FROM (%(matches)s) m(item_id))) AND l.partner_id = ANY(%(partners)s)
        """,
        matches=_matches_sql(place, "draft"),
        partners=place.values("partner", "id"),
    )
    companies = place.values("company", "id")
    return [
        draft_step(companies),
        Step("beside", "id int", beside, place.any("draft", "id")),
        Step("taken", TAKEN, taken_sql(companies), place.any("beside", "id")),
    ]


def matched_drafts_in_steps(companies):
    """The body of the function that gives the columns of TAKEN for the items of these companies."""
    place = InFunction()
    # What a match between posted items gained or lost by rates is undone with it.
    exchanged = SQL(
        "SELECT l.id FROM account_move_line l WHERE l.move_id = ANY(%s) AND l.parent_state = 'posted'",
        place.values("match", "exchange_id"),
    )
    steps = [
        draft_step(companies),
        Step("match", MATCH, _matches_sql(place, "draft"), place.any("draft", "id")),
        Step("exchanged", "id int", exchanged, place.any("match", "item_id")),
        Step("undone", MATCH, _matches_sql(place, "exchanged"), place.any("exchanged", "id")),
    ]
    taken = SQL(
        """
        SELECT m.item_id, SUM(m.amount), SUM(m.booked)
          FROM (SELECT * FROM %(match)s UNION ALL SELECT * FROM %(undone)s) m
          JOIN account_move_line l ON l.id = m.item_id
         WHERE l.id = ANY(%(items)s || %(others)s) AND l.parent_state = 'posted'
           AND l.id <> ALL(COALESCE(%(exchanged)s, '{}'))
         GROUP BY 1
        """,
        match=place.rows("match", MATCH, "m"),
        undone=place.rows("undone", MATCH, "u"),
        items=place.values("match", "item_id"),
        others=place.values("undone", "item_id"),
        exchanged=place.values("exchanged", "id"),
    )
    return place.render(steps, (place.any("match", "item_id"), taken))


def _matches_sql(place, name):
    """The other sides of the matches of these items, and what was taken of them."""
    return SQL(
        """
        SELECT r.debit_move_id, r.debit_amount_currency, r.amount, r.exchange_move_id
          FROM account_partial_reconcile r
         WHERE r.credit_move_id = ANY(%(items)s)
         UNION ALL
        SELECT r.credit_move_id, -r.credit_amount_currency, -r.amount, r.exchange_move_id
          FROM account_partial_reconcile r
         WHERE r.debit_move_id = ANY(%(items)s)
        """,
        items=place.values(name, "id"),
    )


def taken_sql(companies):
    """The function's rows, to be put in brackets.

    :param SQL companies: an array of their ids
    """
    return SQL("SELECT * FROM %s(%s)", SQL.identifier(MATCHED_DRAFTS), companies)
