"""The words for what connectors do."""

from odoo.tools import LazyTranslate

from odoo.addons.credit_insurance.connectors import Operation

_lt = LazyTranslate(__name__)

OPERATION_LABELS = {
    Operation.FIND_BUYER: _lt("Find a buyer"),
    Operation.REQUEST_BUYER_NUMBER: _lt("Have a buyer numbered"),
    Operation.GRADES: _lt("Grades of buyers"),
    Operation.GRADE_CHANGES: _lt("Changed grades"),
    Operation.COVER_PAGE: _lt("List of covers"),
    Operation.REQUEST_COVER: _lt("Ask for cover"),
    Operation.FIND_COVER_REQUEST: _lt("Look for a cover request sent before"),
    Operation.COVER_REQUEST_STATE: _lt("State of a cover request"),
    Operation.COVER_REQUEST_PAGE: _lt("List of undecided cover requests"),
    Operation.NOTIFY_OVERDUE: _lt("Notify overdue invoices"),
    Operation.FIND_OVERDUE_NOTICE: _lt("Look for a notice sent before"),
    Operation.EXTEND_INVOICE: _lt("Ask for more time for an invoice"),
    Operation.FIND_EXTENSION: _lt("Look for an extension sent before"),
    Operation.EXTENSION_STATE: _lt("State of an extension"),
    Operation.REPORT_REPAYMENT_PLAN: _lt("Report a repayment plan"),
    Operation.FIND_REPAYMENT_PLAN: _lt("Look for a repayment plan sent before"),
    Operation.REPAYMENT_PLAN_STATE: _lt("State of a repayment plan"),
    Operation.DECLARE_TURNOVER: _lt("Declare turnover"),
    Operation.DECLARE_SHIPMENTS: _lt("Declare shipments"),
    Operation.DECLARE_RECEIPTS: _lt("Declare payments received"),
    Operation.FIND_DECLARATION: _lt("Look for a declaration sent before"),
    Operation.SUBMIT_CLAIM: _lt("Submit a claim"),
    Operation.FIND_CLAIM: _lt("Look for a claim sent before"),
    Operation.ADD_DOCUMENT: _lt("Hand in a document"),
    Operation.FIND_DOCUMENT: _lt("Look for a document sent before"),
    Operation.CLAIM_STATUS: _lt("State of a claim"),
    Operation.ORDER_REPORT: _lt("Order a credit report"),
    Operation.FIND_REPORT: _lt("Look for a report ordered before"),
    Operation.REPORT_STATE: _lt("Fetch a credit report"),
    Operation.START_COLLECTION: _lt("Hand over for collection"),
    Operation.FIND_COLLECTION: _lt("Look for a collection order sent before"),
    Operation.COLLECTION_STATUS: _lt("State of a collection case"),
    Operation.MONITOR: _lt("Have a buyer watched"),
    Operation.NOTIFICATIONS: _lt("What the insurer reports about watched buyers"),
    Operation.POLICY_DETAILS: _lt("Details of the policy"),
}
# Calls that connectors make besides, and that are on record like the others.
CALL_LABELS = {"authorize": _lt("Sign in")}
# What can be handed in as a file instead, and what can be read from a file that came back.
FILE_ROUTES = frozenset(
    {
        Operation.FIND_BUYER,
        Operation.GRADES,
        Operation.COVER_PAGE,
        Operation.REQUEST_COVER,
        Operation.COVER_REQUEST_STATE,
        Operation.NOTIFY_OVERDUE,
        Operation.EXTEND_INVOICE,
        Operation.EXTENSION_STATE,
        Operation.REPORT_REPAYMENT_PLAN,
        Operation.REPAYMENT_PLAN_STATE,
        Operation.DECLARE_TURNOVER,
        Operation.DECLARE_SHIPMENTS,
        Operation.DECLARE_RECEIPTS,
        Operation.SUBMIT_CLAIM,
        Operation.CLAIM_STATUS,
        Operation.ORDER_REPORT,
        Operation.START_COLLECTION,
    }
)


def label_of(env, operation):
    """The name of an operation in the user's language; the raw name of one that is no operation (a token's, say)."""
    label = OPERATION_LABELS.get(operation) or CALL_LABELS.get(operation)
    return env._(label) if label else str(operation)
