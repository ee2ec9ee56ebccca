"""Atradius' codes and what they mean to us. A code that is not here gives ``UNKNOWN`` and stays raw.

The codes and their sense are those of a client's code that was run against the interface, not of a public document of
the insurer. What follows from them is ours: it is written at each table.
"""

from collections.abc import Mapping

from .messages import AnnouncementKind, CoverRequestKind, CoverStatus, RequestStatus

# What stands after a decision. None: a cover stands, and whether in full the amounts tell.
DECISIONS: Mapping[str, CoverStatus | None] = {
    "DC01": CoverStatus.APPROVED,  # fully approved
    "DC02": CoverStatus.APPROVED,  # approved with conditions
    "DC03": CoverStatus.REFUSED,  # refused
    "DC04": CoverStatus.PARTIAL,  # partially approved
    "DC05": None,  # increase refused, the current cover is unchanged
    "DC06": CoverStatus.PARTIAL,  # partially approved, preliminary
    "DC07": CoverStatus.REFUSED,  # refused, preliminary
    "DC08": CoverStatus.WITHDRAWN,  # withdrawn by the insurer
    "DC09": CoverStatus.REDUCED,  # reduction
    "DC10": None,  # revised terms
    "DC11": None,  # issued again
    "DC21": None,  # withdrawal notified in advance: valid today
    "DC22": CoverStatus.REDUCED,  # reduced because a part has run out
}

# What became of the request that a decision answers. None: granted, and whether in full the amounts tell.
ANSWERS: Mapping[str, RequestStatus | None] = {
    "DC01": RequestStatus.APPROVED,
    "DC02": RequestStatus.APPROVED,
    "DC03": RequestStatus.REFUSED,
    "DC04": RequestStatus.PARTIAL,
    "DC05": RequestStatus.REFUSED,
    "DC06": RequestStatus.PARTIAL,
    "DC07": RequestStatus.REFUSED,
    "DC08": RequestStatus.REFUSED,
    "DC09": RequestStatus.PARTIAL,
    "DC10": None,
    "DC11": None,
    "DC21": None,
    "DC22": None,
}

# The answer to a request for less, or for none, is what was asked for.
REDUCED = "DC09"
WITHDRAWN = "DC08"

# An end that is announced while the cover is still valid, as a decision code ...
ANNOUNCING_DECISIONS: Mapping[str, AnnouncementKind] = {"DC21": AnnouncementKind.WITHDRAWAL}

# ... or as an indicator of what the insurer is working on. UNKNOWN: shown, with no effect on what is covered.
PENDING_PROCESSES: Mapping[str, AnnouncementKind] = {
    "B": AnnouncementKind.UNKNOWN,  # terms change for many covers at once
    "C": AnnouncementKind.WITHDRAWAL,  # cancellation: whoever ends it, it ends
    "F": AnnouncementKind.WITHDRAWAL,  # future withdrawal
    "P": AnnouncementKind.WITHDRAWAL,  # future withdrawal, postponed
    "R": AnnouncementKind.UNKNOWN,  # reactivation
    "T": AnnouncementKind.UNKNOWN,  # transfer
    "V": AnnouncementKind.UNKNOWN,  # an indication is being turned into a cover
    "W": AnnouncementKind.WITHDRAWAL,  # withdrawal
}

# How a cover ended. None: no cover has ended, another row has taken the place of this one.
ENDS: Mapping[str, CoverStatus | None] = {
    "ACLD": None,  # amended
    "CCLD": CoverStatus.WITHDRAWN,  # cancelled
    "CIND": None,  # an indication, cancelled
    "ECLD": CoverStatus.EXPIRED,
    "ICLD": None,  # issued again
    "MCLD": None,  # maintained
    "PCLD": CoverStatus.WITHDRAWN,  # cancelled with the policy
    "SCLD": None,  # superseded
    "TCLD": CoverStatus.WITHDRAWN,  # transferred: no longer under this policy
    "WCLD": CoverStatus.WITHDRAWN,
    "CCLA": None,  # the rest are applications, which never were covers
    "RCLA": None,
    "SCLA": None,
    "TCLA": None,
}

# How an application ended that was not decided.
APPLICATION_ENDS: Mapping[str, RequestStatus] = {
    "CCLA": RequestStatus.CANCELLED,
    "RCLA": RequestStatus.REFUSED,  # rejected
    "SCLA": RequestStatus.CANCELLED,  # superseded by another
    "TCLA": RequestStatus.CANCELLED,  # transferred
}

ACTIONS: Mapping[CoverRequestKind, str] = {
    CoverRequestKind.INCREASE: "supersede",
    CoverRequestKind.REDUCE: "reduce",
    CoverRequestKind.CANCEL: "cancel",
}

UID_TYPES = ("VAT", "NRN", "CR", "DB", "FC", "SN", "TK")
VAT = "VAT"
