"""Facts: records of runs as rows of bytes. Knows nothing of tasks, agents or frameworks."""

from __future__ import annotations

from .codec.codec import NO_BLOBS as NO_BLOBS
from .codec.codec import Codec as Codec
from .codec.codec import TypeCodec as TypeCodec
from .codec.secrets import without_secrets as without_secrets
from .journal import Journal as Journal
from .leases.refusals import check_free as check_free
from .leases.refusals import lease_lost as lease_lost
from .leases.refusals import missing_row as missing_row
from .leases.refusals import out_of_order as out_of_order
from .log.append_cost import Pace as Pace
from .log.append_cost import Sharing as Sharing
from .log.durability import Durability as Durability
from .log.durability import durability_of as durability_of
from .log.group_commit import Append as Append
from .log.group_commit import GroupCommit as GroupCommit
from .log.pending_append import Pending as Pending
from .log.thread_log import ThreadLog as ThreadLog
from .memory_storage import MemoryStorage as MemoryStorage
from .question_ids import copied_id as copied_id
from .question_ids import with_copied_ids as with_copied_ids
from .row_watch import Waiting as Waiting
from .row_watch import wait_for_rows as wait_for_rows
from .saver import Saver as Saver
from .sqlite.connections import Connections as Connections
from .sqlite.storage import SqliteStorage as SqliteStorage
from .storage import LANDMARK as LANDMARK
from .storage import Lease as Lease
from .storage import Row as Row
from .storage import Storage as Storage
from .thread_edits import Rewriting as Rewriting
from .thread_edits import copy_thread as copy_thread
from .thread_edits import keep_latest as keep_latest
