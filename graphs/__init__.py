"""How the roles work together: one module a state machine."""

from . import consultation, retrieve_then_read
from .consult import Consultation, consult
from .events import Event, stream_events
from .trace import Recorder

__all__ = ["Consultation", "Event", "Recorder", "consult", "consultation", "retrieve_then_read", "stream_events"]
