"""The words of a declaration: kinds, why a sale is left out, states."""

KINDS = [
    ("turnover", "Turnover"),
    ("shipments", "Shipments"),
    ("receipts", "Payments received"),
]
# In the order in which they are looked at: the first that applies is shown.
LEFT_OUT = [
    ("policy", "The policy was not in force"),
    ("affiliated", "Affiliated buyer"),
    ("country", "Country not covered"),
    ("public", "Public buyer"),
    ("private", "Private person"),
    ("term", "Payment term too long"),
    ("down_payment", "Down payment"),
    ("no_cover", "No cover on that day"),
    ("taken_back", "Payment taken back: tell the insurer"),
    ("changed", "Changed after it was declared: tell the insurer"),
]
# What no interface takes, so that a person tells the insurer.
TOLD_BY_HAND = ("taken_back", "changed")
DECLARATION_STATES = [
    ("draft", "Draft"),
    ("ready", "To hand in"),
    ("queued", "Being sent"),
    ("failed", "Could not be sent"),
    ("uncertain", "To be checked at the insurer"),
    ("sent", "Sent by hand"),
    ("acknowledged", "Declared"),
    ("partial", "Declared in part"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
