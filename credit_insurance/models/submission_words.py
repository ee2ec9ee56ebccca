"""The states of what is sent to an insurer, in the words people read."""

SUBMISSION_STATES = [
    ("draft", "Draft"),
    ("ready", "To hand in"),
    ("queued", "Being sent"),
    ("failed", "Could not be sent"),
    ("uncertain", "To be checked at the insurer"),
    ("sent", "Sent by hand"),
    ("acknowledged", "Received by the insurer"),
    ("pending", "Being decided"),
    ("accepted", "Accepted"),
    ("partial", "Accepted in part"),
    ("refused", "Declined"),
    ("cancelled", "Cancelled"),
]
# Nothing has left yet, or it has come back: may be sent, by the connection or by hand.
SENDABLE_STATES = ("draft", "failed")
# It is not known at the insurer, or only perhaps: an answer of the insurer is entered by hand from here, too.
WAITING_STATES = ("failed", "uncertain", "sent", "acknowledged", "pending")
# A try was made, and whether the insurer has it is not known.
UNSETTLED_STATES = ("queued", "failed", "uncertain")
# The insurer has it and may still say something about it.
PENDING_STATES = ("sent", "acknowledged", "pending")
DEAD_STATES = ("refused", "cancelled")
