"""What the Allianz Trade connector has to be told, and what a call back from the insurer says."""

from .base import Operation
from .connection import Setting
from .jsondoc import ShapeError, decode
from .reports import WakeUp

SETTINGS = (
    Setting("api_key", "API key", "From the developer portal, one per environment.", secret=True, identifies=True),
    Setting(
        "business_unit",
        "Business unit code",
        "Of the Allianz Trade company, such as ACI, EHSE or EHDK.",
        names_holder=True,
    ),
    Setting("currency", "Currency of the policy", "Of amounts that come without one, such as EUR."),
    Setting("extension_id", "Extension", "Such as DCL or CAP; empty for the basic policy.", required=False),
    Setting(
        "policies",
        "Policies",
        "Our policy numbers, separated by semicolons, with the insurer's names of their parts where these differ: "
        "number = policyId/extensionId/businessUnitCode + …. Grades are read under these policies only.",
        required=False,
    ),
    Setting("api_version", "Version of the cover interface", "3, or 2 where not migrated.", False, default="3"),
    Setting("page_size", "Entries per page", "From 1 to 10000.", False, default="5000"),
    Setting("vat_type", "Identifier type of VAT numbers", "The insurer's code. Empty: not searched by.", False),
    Setting("registration_type", "Identifier type of registration numbers", "As above.", False),
    Setting(
        *("own_type", "Identifier type of our customer numbers"),
        "Where Allianz Trade keeps our own number of a buyer. Empty: not searched by.",
        required=False,
    ),
    Setting("minimum_score", "Least likeness in a search", "A whole number on the insurer's scale.", False),
    Setting("codes", "Meaning of further codes", "Such as cover.Refused=refused; job.Done=processed.", False),
    Setting("fields", "Names of fields", "Such as cover.words=comment; limit.end=endDate.", False),
    Setting("temporary_amounts", "Temporary amounts", "add: they add to the cover; empty: only shown.", False),
    Setting("webhook_header", "Header of the callback", "Its name; empty: no callback is asked for.", False),
    Setting("callback_url", "Address of the callback", "https; secret, as it opens the door.", False, secret=True),
    Setting("callback_hours", "Time to live of the callback", "As the insurer counts it.", False, default="24"),
    Setting("functional_notification", "Call back on decisions", "yes or no.", False, default="yes"),
)
WOKEN = (Operation.COVER_REQUEST_STATE, Operation.COVER_REQUEST_PAGE, Operation.COVER_PAGE)


def read_callback(body: bytes) -> WakeUp | None:
    """A call back, whose body is not public: any JSON object or list wakes us up, and a company it names is noted.

    The requests are not narrowed: our ids of them hold more than the insurer tells here.
    """
    try:
        node = decode(body)
        members = [node] if isinstance(node.value, dict) else list(node.items())
        told = [member["companyId"].value for member in members]
    except ShapeError:
        return None
    companies = [str(value) for value in told if isinstance(value, str | int) and not isinstance(value, bool)]
    return WakeUp(frozenset(operation.value for operation in WOKEN), buyer_ids=tuple(dict.fromkeys(companies)))
