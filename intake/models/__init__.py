"""What patients send, and what the clinic does about it.

Every answer is an EncryptedTextField; beside it stand only times, states, keys
and keyed hashes. Rows of the Outbox hold keys, never answers.
"""

from .choices import (
    CHOICES_OF,
    LISTED_OF,
    NEXT_STATUSES,
    NO_RED_FLAG,
    NOT_SURE,
    BestTime,
    ContactChannel,
    Imaging,
    LeadStatus,
    OnBehalfOf,
    Priority,
    ReferralSource,
    YesNo,
    pain_area_choices,
    red_flag_choices,
)
from .outbox import NoticeKind, Outbox, OutboxState
from .requests import ConsultationRequest, ConsultationRequestQuerySet
from .search import SearchKey, SearchKind
from .spam import RateBucket
from .work import AccessAction, AttemptChannel, AttemptOutcome, ContactAttempt, EventKind, LeadAccess, LeadEvent

__all__ = [
    "CHOICES_OF",
    "LISTED_OF",
    "NEXT_STATUSES",
    "NOT_SURE",
    "NO_RED_FLAG",
    "AccessAction",
    "AttemptChannel",
    "AttemptOutcome",
    "BestTime",
    "ConsultationRequest",
    "ConsultationRequestQuerySet",
    "ContactAttempt",
    "ContactChannel",
    "EventKind",
    "Imaging",
    "LeadAccess",
    "LeadEvent",
    "LeadStatus",
    "NoticeKind",
    "OnBehalfOf",
    "Outbox",
    "OutboxState",
    "Priority",
    "RateBucket",
    "ReferralSource",
    "SearchKey",
    "SearchKind",
    "YesNo",
    "pain_area_choices",
    "red_flag_choices",
]
