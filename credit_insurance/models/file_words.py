"""The words of the workbooks that are handed in: what stands on their sheet of instructions."""

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# In the order of the sheet; the test of the file route compares them with what the workbooks say.
INSTRUCTIONS = {
    "Sheet": _lt("Sheet"),
    "Column": _lt("Column"),
    "Meaning": _lt("Meaning"),
    "What is in it": _lt("What is in it"),
    "Values": _lt("Values"),
    "Needed": _lt("Needed"),
    "yes": _lt("yes"),
    "with its line": _lt("with its line"),
    "text": _lt("text"),
    "text on one line": _lt("text on one line"),
    "one of": _lt("one of"),
    "one of; any other is kept as written": _lt("one of; any other is kept as written"),
    "number, 0 or more": _lt("number, 0 or more"),
    "number": _lt("number"),
    "number from 0 to 100": _lt("number from 0 to 100"),
    "whole number": _lt("whole number"),
    "true or false": _lt("true or false"),
    "date": _lt("date"),
    "YYYY-MM-DDTHH:MM:SSZ, or a date": _lt("YYYY-MM-DDTHH:MM:SSZ, or a date"),
    "ISO 3166-1 alpha-2, such as FR": _lt("ISO 3166-1 alpha-2, such as FR"),
    "ISO 4217, such as EUR": _lt("ISO 4217, such as EUR"),
    "Requests for cover, more, less or none": _lt("Requests for cover, more, less or none"),
    "Buyers whose number at the insurer is wanted": _lt("Buyers whose number at the insurer is wanted"),
    "Notices of overdue invoices, one line per invoice": _lt("Notices of overdue invoices, one line per invoice"),
    "Requests to have one invoice paid later": _lt("Requests to have one invoice paid later"),
    "Repayment plans; invoices and instalments lie side by side, one line each": _lt(
        "Repayment plans; invoices and instalments lie side by side, one line each"
    ),
    "Turnover of a period, one line per country and currency; no such line: nothing was sold": _lt(
        "Turnover of a period, one line per country and currency; no such line: nothing was sold"
    ),
    "Declared shipments, one line each": _lt("Declared shipments, one line each"),
    "Payments received for declared shipments, one line each": _lt(
        "Payments received for declared shipments, one line each"
    ),
    "Claims for indemnity, one line per invoice": _lt("Claims for indemnity, one line per invoice"),
    "Debts handed over for collection, one line per invoice": _lt(
        "Debts handed over for collection, one line per invoice"
    ),
    "Orders of credit reports": _lt("Orders of credit reports"),
    "the policyholder's reference; repeat it in the answer": _lt(
        "the policyholder's reference; repeat it in the answer"
    ),
    "number of the policy": _lt("number of the policy"),
    "the insurer's number of the buyer": _lt("the insurer's number of the buyer"),
    "what is asked for": _lt("what is asked for"),
    "currency of the amounts": _lt("currency of the amounts"),
    "the total wanted afterwards; empty in a cancellation": _lt("the total wanted afterwards; empty in a cancellation"),
    "whether it is urgent": _lt("whether it is urgent"),
    "remarks for the insurer": _lt("remarks for the insurer"),
    "kind of cover": _lt("kind of cover"),
    "the insurer's number of the cover that is to be changed": _lt(
        "the insurer's number of the cover that is to be changed"
    ),
    "first day wanted": _lt("first day wanted"),
    "days from the invoice to the due date": _lt("days from the invoice to the due date"),
    "how the buyer is to pay": _lt("how the buyer is to pay"),
    "what the buyer owes": _lt("what the buyer owes"),
    "what the buyer has on order": _lt("what the buyer has on order"),
    "the policyholder's own number of the buyer; repeat it in answers": _lt(
        "the policyholder's own number of the buyer; repeat it in answers"
    ),
    "country of the buyer": _lt("country of the buyer"),
    "name of the buyer": _lt("name of the buyer"),
    "VAT number": _lt("VAT number"),
    "number in the national register": _lt("number in the national register"),
    "the insurer's number, where one is thought to be known": _lt(
        "the insurer's number, where one is thought to be known"
    ),
    "street and house number": _lt("street and house number"),
    "postal code": _lt("postal code"),
    "city": _lt("city"),
    "number of the invoice": _lt("number of the invoice"),
    "date of the invoice": _lt("date of the invoice"),
    "original due date, whatever was agreed later": _lt("original due date, whatever was agreed later"),
    "amount of the invoice": _lt("amount of the invoice"),
    "what is still owed of it": _lt("what is still owed of it"),
    "currency of the invoice": _lt("currency of the invoice"),
    "the later due date asked for": _lt("the later due date asked for"),
    "why": _lt("why"),
    "day of the agreement": _lt("day of the agreement"),
    "day of the instalment": _lt("day of the instalment"),
    "amount of the instalment": _lt("amount of the instalment"),
    "first day of the period": _lt("first day of the period"),
    "last day of the period": _lt("last day of the period"),
    "country of the buyers": _lt("country of the buyers"),
    "currency of the sales": _lt("currency of the sales"),
    "insurable sales, net of VAT; negative where credit notes prevail": _lt(
        "insurable sales, net of VAT; negative where credit notes prevail"
    ),
    "the insurer's number of the buyer, where turnover is declared per buyer": _lt(
        "the insurer's number of the buyer, where turnover is declared per buyer"
    ),
    "reference of the line; a refusal names it, or the country for all its lines": _lt(
        "reference of the line; a refusal names it, or the country for all its lines"
    ),
    "the policyholder's reference of the shipment": _lt("the policyholder's reference of the shipment"),
    "date of the shipment": _lt("date of the shipment"),
    "the part of it that is declared": _lt("the part of it that is declared"),
    "days from the shipment to the due date": _lt("days from the shipment to the due date"),
    "description of the goods": _lt("description of the goods"),
    "HS code of the goods": _lt("HS code of the goods"),
    "number of the order": _lt("number of the order"),
    "number of the transport document": _lt("number of the transport document"),
    "number of the customs document": _lt("number of the customs document"),
    "the policyholder's reference of the payment": _lt("the policyholder's reference of the payment"),
    "number of the invoice that is paid": _lt("number of the invoice that is paid"),
    "day of the payment": _lt("day of the payment"),
    "what was paid": _lt("what was paid"),
    "cause of the loss": _lt("cause of the loss"),
    "what is claimed": _lt("what is claimed"),
    "currency of the total": _lt("currency of the total"),
    "date of loss": _lt("date of loss"),
    "the insurer's file that this belongs to": _lt("the insurer's file that this belongs to"),
    "the insurer's name of the report": _lt("the insurer's name of the report"),
    "currency of the amounts in it": _lt("currency of the amounts in it"),
}


def explain_to(env):
    """Puts a sentence of the instructions into the user's language."""
    return lambda sentence: env._(INSTRUCTIONS[sentence]) if sentence in INSTRUCTIONS else sentence
