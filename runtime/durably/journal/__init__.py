"""Facts: records of runs as rows of bytes. Knows nothing of tasks, agents or frameworks."""

from __future__ import annotations

from ._commit import Append as Append
from ._commit import GroupCommit as GroupCommit
from ._durability import Durability as Durability
from ._durability import durability_of as durability_of
from ._editing import Rewriting as Rewriting
from ._editing import copy_thread as copy_thread
from ._editing import keep_latest as keep_latest
from ._journal import Journal as Journal
from ._log import ThreadLog as ThreadLog
from ._pending import Pending as Pending
from ._refusals import check_free as check_free
from ._refusals import lease_lost as lease_lost
from ._refusals import missing_row as missing_row
from ._refusals import out_of_order as out_of_order
from ._saver import Saver as Saver
from ._sharing import Pace as Pace
from ._sharing import Sharing as Sharing
from ._waiting import Waiting as Waiting
from ._waiting import wait_for_rows as wait_for_rows
from .codec import NO_BLOBS as NO_BLOBS
from .codec import Codec as Codec
from .codec import TypeCodec as TypeCodec
from .memory import MemoryStorage as MemoryStorage
from .sqlite import SqliteStorage as SqliteStorage
from .storage import LANDMARK as LANDMARK
from .storage import Lease as Lease
from .storage import Row as Row
from .storage import Storage as Storage
