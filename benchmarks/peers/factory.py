"""Makes the peer of a subject; imports that library and no other."""

from __future__ import annotations

from ..place import Place
from ..subjects import Subject
from .interface import Peer


def peer_for(subject: Subject, place: Place) -> Peer:
    """Return the subject's library on its storage at *place*."""
    match subject.library:
        case "durably":
            from .durably_peer import DurablyPeer

            return DurablyPeer(subject, place)
        case "langgraph":
            from .langgraph_peer import LangGraphPeer

            return LangGraphPeer(subject, place)
        case "dbos":
            from .dbos_peer import DbosPeer

            return DbosPeer(subject, place)
        case _:
            from .floor import Floor

            return Floor(subject, place)
