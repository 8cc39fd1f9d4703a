"""What the author of a storage, a store or a cache uses; plug-ins import it, programs need not.

A **storage** keeps journals: rows of bytes, blobs, leases. Implement :class:`Storage`, refuse with
:func:`check_free`, :func:`lease_lost` and :func:`out_of_order` (so that every storage says it in
the same words), let callers share commits with :class:`GroupCommit`, and mix :class:`Saver` in for
LangGraph's methods for whole threads. Offer :class:`Sharing` so that coroutines share commits too,
and :class:`Waiting` if the medium can tell of new rows.

A **store** keeps long-term memory: derive from :class:`SharedStore`, which checks, encodes and
embeds, and say how :class:`Records` are looked at and changed.

A **cache** keeps results of tasks that serve other calls: implement :class:`Cache`, and
:class:`Claims` if several processes share it; :class:`ThreadedCache` has the async half of both.

Servers fork their workers. A connection crosses no fork: have :func:`tell_of_forks` tell of them,
open another one in the child, and :func:`leave_to_parent` what must not be closed there.

Offer them with the hooks ``open_storage``, ``open_store`` and ``open_cache``, and prove them with
the suites in ``tests/contract``.
"""

from __future__ import annotations

from .caching import Cache as Cache
from .caching import Claims as Claims
from .caching import FullKey as FullKey
from .caching import Namespace as CacheNamespace
from .caching import ThreadedCache as ThreadedCache
from .caching import checked as checked_values
from .journal import LANDMARK as LANDMARK
from .journal import Append as Append
from .journal import GroupCommit as GroupCommit
from .journal import Lease as Lease
from .journal import Rewriting as Rewriting
from .journal import Row as Row
from .journal import Saver as Saver
from .journal import Sharing as Sharing
from .journal import Storage as Storage
from .journal import Waiting as Waiting
from .journal import check_free as check_free
from .journal import lease_lost as lease_lost
from .journal import missing_row as missing_row
from .journal import out_of_order as out_of_order
from .journal import wait_for_rows
from .process_fork import ForkAware as ForkAware
from .process_fork import leave_to_parent as leave_to_parent
from .process_fork import tell_of_forks as tell_of_forks
from .store import Draft as Draft
from .store import IndexConfig as IndexConfig
from .store import Namespace as Namespace
from .store import Record as Record
from .store import Records as Records
from .store import SharedStore as SharedStore
from .store import TTLConfig as TTLConfig
from .store import expiry as expiry

__all__ = [
    "LANDMARK",
    "Append",
    "Cache",
    "CacheNamespace",
    "Claims",
    "Draft",
    "ForkAware",
    "FullKey",
    "GroupCommit",
    "IndexConfig",
    "Lease",
    "Namespace",
    "Record",
    "Records",
    "Rewriting",
    "Row",
    "Saver",
    "SharedStore",
    "Sharing",
    "Storage",
    "TTLConfig",
    "ThreadedCache",
    "Waiting",
    "check_free",
    "checked_values",
    "expiry",
    "lease_lost",
    "leave_to_parent",
    "missing_row",
    "out_of_order",
    "tell_of_forks",
    "wait_for_rows",
]
